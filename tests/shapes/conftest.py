"""Two revisions of a project side by side, compared as lint compares them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from extreg.linter.between import Comparer, Comparison, Pair
from extreg.shapes.earlier import Earlier, FolderFiles, Today
from extreg.targets.trees import Sources

Compare = Callable[..., Comparison]


def write(folder: Path, files: "dict[str, str]") -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def compare_folders(old: Path, new: Path, targets: "list[str]", *, rolling: bool = False) -> Comparison:
    today = Today(Sources([new]))
    comparer = Comparer(today, Earlier(FolderFiles(old), [""], today), "the base")
    none: frozenset[str] = frozenset()
    pairs = [Pair(target, target, target) for target in targets]
    return comparer.compare(pairs, reducers=(none, none), rolling=rolling)


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """Compare the class ``C`` of two texts of one module; other modules of either side may be given."""

    def run(
        old: str,
        new: str,
        *,
        target: str = "subject:C",
        rolling: bool = False,
        old_files: "dict[str, str] | None" = None,
        new_files: "dict[str, str] | None" = None,
    ) -> Comparison:
        before = write(tmp_path / "old", {"subject.py": old, **(old_files or {})})
        after = write(tmp_path / "new", {"subject.py": new, **(new_files or {})})
        return compare_folders(before, after, [target], rolling=rolling)

    return run
