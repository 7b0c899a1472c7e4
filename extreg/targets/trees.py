"""Python sources on the import path: found without importing anything, each file read and parsed at most once."""

import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from pathlib import Path

from extreg.project.import_path import is_hooked, is_taken_over, search_path
from extreg.targets.calls import Call, extension_calls
from extreg.targets.fetches import parse
from extreg.targets.lookup import Answer, Lookup, Module, Outside
from extreg.targets.package_texts import Package
from extreg.targets.syntax import Scope, module_scope

# Beside or instead of `name.py`, these say that the module exists, or does once it is built.
_NOT_SOURCE = {
    ".so": "a compiled extension",
    ".pyd": "a compiled extension",
    ".dylib": "a compiled extension",
    ".pyc": "compiled, without its source",
    ".pyi": "known by its stub only",
    ".pyx": "compiled from Cython",
    ".pxd": "compiled from Cython",
    ".c": "compiled from C",
    ".cc": "compiled from C++",
    ".cpp": "compiled from C++",
    ".rs": "compiled from Rust",
}
_IMPORTED = re.compile(r"^[ \t]*(?:from|import)[ \t]+(\w+)", re.MULTILINE)
_SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages"})


class Sources:
    """The modules that a project can import: those in its own `folders` and the ``src`` there, then the import path.

    ``visited`` counts how often each file was read.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        folders = list(folders)
        self.path = search_path(folders)
        self._own = {os.path.realpath(place) for folder in folders for place in (folder, folder / "src")}
        self.visited: dict[str, int] = {}
        self._modules: dict[str, Module | Outside | None] = {}
        self._origins: dict[str, str | None] = {}
        self._places: dict[str, list[str]] = {}
        self._scopes: dict[str, tuple[Scope, str] | None] = {}
        self._calls: dict[str, tuple[Call, ...]] = {}
        self._texts: dict[str, str | None] = {}
        self._surveys: dict[str, Package] = {}

    def answers(self, targets: Iterable[str]) -> dict[str, Answer]:
        """Return what each of `targets`, which may be modules too, leads to."""
        return dict(self.answered(targets))

    def answered(self, targets: Iterable[str]) -> Iterator[tuple[str, Answer]]:
        """Yield each of `targets` with what it leads to, when that is known."""
        importlib.invalidate_caches()
        lookup = Lookup(self.load, self.survey)
        for target in targets:
            yield target, lookup.answer(target) if ":" in target else self._module(target)

    def own(self, names: Iterable[str]) -> frozenset[str]:
        """Return the top-level packages of targets and modules that lie in the project's folders."""
        tops = {name.partition(":")[0].partition(".")[0] for name in names}
        return frozenset(top for top in tops if self._is_own(top))

    def _module(self, name: str) -> Answer:
        found = self.load(name)
        if found is None:
            return Answer("missing", detail=f"there is no module {name}")
        return Answer("unknown", detail=found.why) if isinstance(found, Outside) else Answer("found")

    def calls(self, files: Iterable[Path]) -> tuple[Call, ...]:
        """Return the calls of `copyreg.add_extension` in `files` whose arguments are constants, in order."""
        return tuple(call for file in files for call in self._calls_in(str(file)))

    def text(self, path: str) -> str:
        """Return the text of a Python file, empty when it has none."""
        return self._read(os.path.realpath(path)) or ""

    def load(self, name: str) -> Module | Outside | None:
        """Return the module called `name`; None when there certainly is none."""
        if name not in self._modules:
            self._modules[name] = self._load(name)
        return self._modules[name]

    def origin(self, name: str) -> str | None:
        """Return the path of the file that the module called `name` is loaded from, or None."""
        self.load(name)
        return self._origins.get(name)

    def survey(self, package: str) -> Package:
        """Return what all files of a top-level package do to the objects and modules of others.

        With those of the project that it imports, and those import in turn.
        """
        if package not in self._surveys:
            texts = list(self._package_texts(package))
            seen = {package, *sys.stdlib_module_names}
            for text in texts:  # it grows
                imported = set(_IMPORTED.findall(text)) - seen
                seen |= imported
                texts += [more for name in sorted(imported) if self._is_own(name) for more in self._package_texts(name)]
            self._surveys[package] = Package(tuple(texts))
        return self._surveys[package]

    def _is_own(self, package: str) -> bool:
        """Whether a top-level package lies in one of the project's folders."""
        self.load(package)
        origin = self._origins.get(package)
        places = self._places.get(package) or ([origin] if origin is not None else [])
        return any(str(Path(os.path.realpath(place)).parent) in self._own for place in places)

    def _package_texts(self, package: str) -> Iterator[str]:
        self.load(package)
        files = [file for place in self._places.get(package, ()) for file in project_files(Path(place))]
        origin = self._origins.get(package)
        if not files and origin is not None and origin.endswith(".py"):
            files = [Path(origin)]
        for file in files:
            text = self._read(os.path.realpath(file))
            if text is not None:
                yield text

    def _load(self, name: str) -> Module | Outside | None:
        parent_name, _, last = name.rpartition(".")
        folders: list[str] | None = None
        if not parent_name and is_taken_over(name):
            return Outside("known to an import hook that comes first")
        if parent_name:
            parent = self.load(parent_name)
            if not isinstance(parent, Module):
                return parent
            folders = self._places.get(parent_name, [])
            if not folders and not parent.is_package:
                return None
        spec = _spec(name, self.path if folders is None else folders)
        if spec is not None:
            self._origins[name] = spec.origin
            self._places[name] = list(spec.submodule_search_locations or ())
        if spec is None:
            return self._without_spec(last, folders)
        return self._from_spec(name, spec)

    def _from_spec(self, name: str, spec: ModuleSpec) -> Module | Outside | None:
        places = self._places[name]
        if spec.origin is None or not spec.has_location:
            if not places:
                return Outside(f"{spec.origin or 'not a file'}")
            if _stub_in(places) is not None:  # a folder with nothing but stubs looks like a namespace package
                return Outside("known by its stub only")
            return Module(name, True, Scope(), "")
        if not spec.origin.endswith(".py"):
            kind = _NOT_SOURCE.get(Path(spec.origin).suffix, "no source file")
            return Outside(kind)
        read = self._scope(spec.origin)
        if read is None:
            return Outside("not readable as source by this Python")
        return Module(name, bool(places), *read)

    def _without_spec(self, last: str, folders: list[str] | None) -> Outside | None:
        for folder in self.path if folders is None else folders:
            kind = _not_source(folder, last)
            if kind is not None:
                return Outside(kind)
        if folders is None and is_hooked(last):
            return Outside("known to an import hook only")
        return None

    def _scope(self, path: str) -> tuple[Scope, str] | None:
        real = os.path.realpath(path)
        if real not in self._scopes:
            self._visit(real)
        return self._scopes[real]

    def _calls_in(self, path: str) -> tuple[Call, ...]:
        real = os.path.realpath(path)
        if real not in self._calls:
            source = self._read(real)
            if source is None or "add_extension" not in source:
                return ()
            self._parse(real, source)
        return tuple(call._replace(path=path) for call in self._calls[real])

    def _visit(self, real: str) -> None:
        source = self._read(real)
        if source is None:
            self._scopes[real], self._calls[real] = None, ()
        else:
            self._parse(real, source)

    def _parse(self, real: str, source: str) -> None:
        tree = parse(source)
        self._scopes[real] = None if tree is None else (module_scope(tree, source), source)
        wanted = tree is not None and "add_extension" in source
        self._calls[real] = extension_calls(tree, real, self.module_name(real)) if tree is not None and wanted else ()

    def module_name(self, path: str) -> str | None:
        """Return the name by which the import path has a file; None for one that it has not."""
        real = os.path.realpath(path)
        roots = [os.path.realpath(place) + os.sep for place in self.path]
        root = max((root for root in roots if real.startswith(root)), key=len, default=None)
        if root is None:
            return None
        parts = list(Path(real[len(root) :]).with_suffix("").parts)
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or None

    def _read(self, real: str) -> str | None:
        """Return the text of a file, kept so that nothing is read twice."""
        if real not in self._texts:
            self.visited[real] = self.visited.get(real, 0) + 1
            try:
                self._texts[real] = importlib.util.decode_source(Path(real).read_bytes())
            except (OSError, SyntaxError, UnicodeDecodeError):
                self._texts[real] = None
        return self._texts[real]


def project_files(folder: Path) -> Iterator[Path]:
    """Yield the Python files of the project in `folder`, in order; not those of hidden folders or environments."""
    for root, folders, files in os.walk(folder):
        here = Path(root)
        folders[:] = sorted(name for name in folders if not _skipped(here / name))
        yield from (here / name for name in sorted(files) if name.endswith(".py"))


def _skipped(folder: Path) -> bool:
    name = folder.name
    return name.startswith(".") or name in _SKIPPED_FOLDERS or (folder / "pyvenv.cfg").is_file()


def _spec(name: str, path: list[str]) -> ModuleSpec | None:
    """Return where the import system finds a module, importing neither it nor its parents."""
    # A namespace package asks sys.modules for its parent; under its last name alone it has none.
    spec = PathFinder.find_spec(name.rpartition(".")[2], path)
    if "." in name or (spec is not None and spec.origin is not None):
        return spec
    # A namespace package comes last: what is built in is no file, and these two finders look nowhere else.
    return BuiltinImporter.find_spec(name) or FrozenImporter.find_spec(name) or spec


def _stub_in(folders: list[str]) -> str | None:
    return next((folder for folder in folders if (Path(folder) / "__init__.pyi").is_file()), None)


def _not_source(folder: str, name: str) -> str | None:
    """Say what there is in `folder` in the place of a source file called `name`."""
    try:
        names = sorted(entry.name for entry in Path(folder or ".").iterdir())
    except OSError:
        return None
    kinds = (_NOT_SOURCE.get(Path(entry).suffix) for entry in names if entry.partition(".")[0] == name)
    return next((kind for kind in kinds if kind is not None), None)
