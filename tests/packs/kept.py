"""The pickles in ``pickles``, which other versions wrote, and what is known not to survive."""

import importlib
import io
import json
import pickle
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import extreg
from extreg.pickles import scan

HERE = Path(__file__).parent
ARCHIVES = sorted((HERE / "pickles").glob("*.tar.gz"))
PACKS = Path(extreg.__file__).parent / "packs"
LIBRARIES = ("stdlib", "numpy", "pandas")

#: Objects whose state is another one since, by library and the version that wrote them: no name heals that.
CHANGED = {
    ("numpy", "1.21.6"): {"polynomial"},
}
#: Objects whose class the library warns of from a version on, whatever name it is asked by.
DEPRECATED = {("numpy", "chararray"): (2, 5)}


class Kept(NamedTuple):
    """A pickle of the object ``of``, dumped ``by`` "name" or "code"."""

    of: str
    protocol: int
    by: str
    data: bytes

    def __repr__(self) -> str:
        return f"{self.of}.p{self.protocol}.{self.by}"


@cache
def archive(path: Path) -> tuple[dict[str, str], tuple[Kept, ...]]:
    """Return who wrote an archive, and its pickles."""
    found = []
    with tarfile.open(path) as members:
        for member in members:
            file = members.extractfile(member)
            assert file is not None
            if member.name == "provenance.json":
                provenance = json.load(file)
            else:
                of, protocol, by = member.name.split(".")
                found.append(Kept(of, int(protocol[1:]), by, file.read()))
    return provenance, tuple(found)


def archives_of(library: str) -> list[Path]:
    return [path for path in ARCHIVES if path.name.startswith(f"{library}-")]


def pack(name: str) -> extreg.Registry:
    """Return the registry of one pack."""
    return extreg.Registry.load(PACKS / name / "registry.toml")


def packs_for(library: str) -> extreg.Registry:
    """Return what a program that works with `library` includes, as one registry."""
    names = {"stdlib": ["stdlib"], "numpy": ["numpy", "stdlib"], "pandas": ["pandas", "numpy", "stdlib"]}[library]
    found = [pack(name) for name in names]
    return extreg.Registry(
        ranges={name: span for registry in found for name, span in registry.ranges.items()},
        codes={code: target for registry in found for code, target in registry.codes.items()},
        load_only={code: target for registry in found for code, target in registry.load_only.items()},
        aliases={code: names for registry in found for code, names in registry.aliases.items()},
        renamed={old: new for registry in found for old, new in registry.renamed.items()},
    )


def things(library: str) -> Any:
    """Return the module that makes the objects."""
    return importlib.import_module(f"{__package__}.things_{library}")


def survivors(path: Path) -> Iterator[Kept]:
    """Yield the pickles in an archive that this Python and this version of the library can be expected to load."""
    provenance, pickles = archive(path)
    library = provenance["library"]
    lost = set(CHANGED.get((library, provenance["version"]), ()))
    made = things(library).THINGS
    here = tuple(int(part) for part in things(library).version().split(".")[:2])
    lost |= {of for (where, of), since in DEPRECATED.items() if where == library and here >= since}
    for kept in pickles:
        # pandas before 3 wrote UTC as pytz has it; it is for the program to have that.
        needs_pytz = library == "pandas" and any(name.startswith("pytz:") for name in scan(kept.data).globals)
        if kept.of in made and kept.of not in lost and not (needs_pytz and not importable("pytz")):
            yield kept


@cache
def importable(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


class Healing(pickle.Unpickler):
    """Finds globals by their names of today, and by older ones where the library is older than those.

    What ``[aliases]`` and ``[renamed]`` say and nothing else; it is the reference for what extreg makes of them.
    """

    def __init__(self, data: bytes, registry: extreg.Registry) -> None:
        super().__init__(io.BytesIO(data))
        self.registry = registry

    def find_class(self, module: str, name: str) -> Any:
        asked = f"{module}:{name}"
        names = self.registry.names(self.registry.current(asked))
        for known in dict.fromkeys((*names, asked)):
            try:
                return super().find_class(*known.split(":"))
            except (ImportError, AttributeError):
                continue
        return super().find_class(module, name)
