"""Whether the wheel that setuptools would build carries a file of a package, as far as that is written down.

What decides is setuptools' `build_py` (package data, by globs in the package's folder) and, with include-package-data,
the files that MANIFEST.in names.  Hatchling, flit, poetry, pdm and uv take all files of a package, so that nothing is
missing there; what runs code is not run, and nothing is said.
"""

import ast
import glob
import os
import re
from collections.abc import Iterator, Mapping
from configparser import ConfigParser, Error
from contextlib import suppress
from fnmatch import translate
from pathlib import Path
from typing import Any, NamedTuple

from extreg.project.import_path import import_root

_BACKENDS = frozenset({"setuptools.build_meta", "setuptools.build_meta:__legacy__"})
# Plugins of setuptools that add the files which git knows.
_FINDERS = re.compile(
    r"\s*(?:setuptools[-_.]?(?:scm|git|git[-_.]versioning|vcs|svn)|versioningit|hatch|pbr)\b", re.IGNORECASE
)


class LeftOut(NamedTuple):
    """Why a file is missing from a wheel, and the edit that puts it there."""

    why: str
    cure: str


class _Told(NamedTuple):
    """What one ``file`` says of package data."""

    file: str
    data: dict[str, list[str]]
    excluded: dict[str, list[str]]
    included: bool


class _Untold(Exception):  # noqa: N818 - no error: nobody can tell
    """Something decides that only running code would tell."""


def left_out(path: Path, folder: Path, pyproject: Mapping[str, Any]) -> LeftOut | None:
    """Return why `path`, in a package of the project in `folder`, is missing from its wheel; None where it may not be.

    `pyproject` is what the project's pyproject.toml says.
    """
    path = path.absolute()
    root = import_root(path.parent)
    if root == path.parent or not path.is_relative_to(folder.absolute()):
        return None  # in no package
    try:
        return _left_out(path, root, folder.absolute(), pyproject)
    except (_Untold, OSError, UnicodeDecodeError):
        return None


def _left_out(path: Path, root: Path, folder: Path, pyproject: Mapping[str, Any]) -> LeftOut | None:
    told = [*_pyproject(pyproject), *_setup_cfg(folder), *_setup_py(folder)]
    packages = list(_packages(path, root))
    for one in told:
        if _matches(path, packages, one.excluded):
            return LeftOut(f"{one.file} excludes it", f"in {one.file}: let exclude-package-data not match {path.name}")
    if not told or any(_matches(path, packages, one.data) for one in told):
        return None  # nothing here is built, or it is carried
    included = any(one.included for one in told)
    if included and _in_manifest(path.relative_to(folder).as_posix(), folder):
        return None
    why = "no package data names it" + (", nor does MANIFEST.in" if included else "")
    file = told[0].file
    return LeftOut(why, f"in {file}: {_EDITS[file].format(package=packages[0][0], name=path.name)}")


_EDITS = {
    "pyproject.toml": '[tool.setuptools.package-data] "{package}" = ["{name}"]',
    "setup.cfg": "[options.package_data] {package} = {name}",
    "setup.py": 'package_data={{"{package}": ["{name}"]}}',
}


def _packages(path: Path, root: Path) -> Iterator[tuple[str, Path]]:
    """Yield each package that a file lies in, innermost first, with its folder."""
    folder = path.parent
    while folder != root:
        yield ".".join(folder.relative_to(root).parts), folder
        folder = folder.parent


def _matches(path: Path, packages: list[tuple[str, Path]], patterns: dict[str, list[str]]) -> bool:
    """Whether `path` is among the files that setuptools' globs find in the folders of its packages."""
    for name, folder in packages:
        for pattern in (*patterns.get("", ()), *patterns.get("*", ()), *patterns.get(name, ())):
            # As setuptools.command.build_py does, whose answer this is; Path.glob has other rules.
            found = glob.glob(f"{glob.escape(str(folder))}/{pattern}", recursive=True)  # noqa: PTH207
            if str(path) in map(os.path.normpath, found):
                return True
    return False


def _pyproject(data: Mapping[str, Any]) -> Iterator[_Told]:
    build = data.get("build-system")
    if isinstance(build, dict):
        requires = [item for item in build.get("requires") or () if isinstance(item, str)]
        if build.get("build-backend", "setuptools.build_meta:__legacy__") not in _BACKENDS or "backend-path" in build:
            raise _Untold
        if any(map(_FINDERS.match, requires)):
            raise _Untold
    tool = data.get("tool")
    table = tool.get("setuptools") if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        table = {}
    if not table and "project" not in data:
        return
    if "cmdclass" in table:
        raise _Untold
    # Without a word include-package-data is true here (setuptools.config.pyprojecttoml).
    included = table.get("include-package-data", True)
    yield _Told(
        "pyproject.toml", _lists(table.get("package-data")), _lists(table.get("exclude-package-data")), bool(included)
    )


def _lists(table: object) -> dict[str, list[str]]:
    if table is None:
        return {}
    if not isinstance(table, dict) or not all(isinstance(value, list) for value in table.values()):
        raise _Untold
    return {str(key): [item for item in value if isinstance(item, str)] for key, value in table.items()}


def _setup_cfg(folder: Path) -> Iterator[_Told]:
    path = folder / "setup.cfg"
    if not path.is_file():
        return
    config = ConfigParser(interpolation=None)
    try:
        config.read_string(path.read_text(encoding="utf-8"))
    except Error:
        raise _Untold from None
    if not (config.has_section("metadata") or config.has_section("options")):
        return
    if any(map(_FINDERS.match, config.get("options", "setup_requires", fallback="").splitlines())):
        raise _Untold
    if config.has_option("options", "cmdclass"):
        raise _Untold
    data, excluded = (
        {key: re.split(r"[,\n]\s*", value.strip()) for key, value in config.items(section)}
        if config.has_section(section)
        else {}
        for section in ("options.package_data", "options.exclude_package_data")
    )
    included = config.get("options", "include_package_data", fallback="").lower() in ("true", "1", "yes")
    yield _Told("setup.cfg", data, excluded, included)


def _setup_py(folder: Path) -> Iterator[_Told]:
    path = folder / "setup.py"
    if not path.is_file():
        return
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, RecursionError):
        raise _Untold from None
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_setup(node.func)]
    if len(calls) != 1 or calls[0].args:
        raise _Untold
    words = {word.arg: word.value for word in calls[0].keywords}
    if None in words or {"cmdclass", "setup_requires", "use_scm_version", "pbr", "data_files"} & words.keys():
        raise _Untold
    given = {}
    for name in ("package_data", "exclude_package_data", "include_package_data"):
        with suppress(KeyError):
            try:
                given[name] = ast.literal_eval(words[name])
            except ValueError:
                raise _Untold from None
    data, excluded = (_lists(given.get(name)) for name in ("package_data", "exclude_package_data"))
    yield _Told("setup.py", data, excluded, bool(given.get("include_package_data")))


def _is_setup(called: ast.expr) -> bool:
    return getattr(called, "id", getattr(called, "attr", "")) == "setup"


def _in_manifest(path: str, folder: Path) -> bool:
    """Whether MANIFEST.in names a file; its commands count in their order."""
    manifest = folder / "MANIFEST.in"
    if not manifest.is_file():
        return False
    named = False
    for line in manifest.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        command, *words = line.partition("#")[0].split()[:1000] or [""]
        patterns = list(_patterns(command, words))
        if any(re.fullmatch(_regex(pattern), path) for pattern in patterns):
            named = command in ("include", "recursive-include", "global-include", "graft")
    return named


def _patterns(command: str, words: list[str]) -> Iterator[str]:
    """Yield the patterns of a command of MANIFEST.in, each for whole paths."""
    if command in ("include", "exclude"):
        yield from words
    elif command in ("global-include", "global-exclude"):
        yield from (f"**/{word}" for word in words)
    elif command in ("recursive-include", "recursive-exclude") and words:
        yield from (f"{words[0].rstrip('/')}/**/{word}" for word in words[1:])
    elif command in ("graft", "prune"):
        yield from (f"{word.rstrip('/')}/**/*" for word in words)


def _regex(pattern: str) -> str:
    """Return a pattern for paths, in which ``**`` is any number of folders and ``*`` no more than a name."""
    text = pattern[2:] if pattern.startswith("./") else pattern
    parts = []
    for part in text.split("/"):
        # What `translate` gives is "(?s:...)\Z", and in it every "." stands for "*" or "?".
        parts.append(
            "(?:[^/]+/)*" if part == "**" else re.sub(r"\\Z$|\\z$", "", translate(part)).replace(".*", "[^/]*") + "/"
        )
    return "".join(parts).removesuffix("/")
