"""The Python files of installed distributions."""

from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path


def installed_files() -> Iterator[Path]:
    """Yield the Python files of all installed distributions, each once, in order; not extreg's own."""
    seen: set[str] = set()
    for distribution in distributions():
        if distribution.metadata["Name"] == "extreg":
            continue
        for file in sorted(distribution.files or ()):
            if file.suffix == ".py":
                path = Path(str(distribution.locate_file(file)))
                if str(path) not in seen and path.is_file():
                    seen.add(str(path))
                    yield path
