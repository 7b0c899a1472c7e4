"""What really happens: objects made and dumped by one release, loaded and used by its neighbour."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import children
import releases
from corpus import Library, Pair

HERE = Path(__file__).parent
BROKEN = ("fails", "breaks", "another", "absent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One pickle, and what became of it."""

    label: str
    outcome: str
    """``ok``, ``fails``, ``breaks`` on use, loads as ``another`` Enum member, or has attributes ``absent``."""
    what: str
    """The exception, the uses that raise, or the attributes."""
    targets: tuple[str, ...]
    """The library's globals that are called when the pickle is loaded."""
    absent: tuple[str, ...] = ()
    """``module:qualname attribute``."""

    @property
    def broken(self) -> bool:
        return self.outcome != "ok"


def objects(library: Library, release: str, cache: Path) -> tuple[Path, list[dict[str, Any]]]:
    """Return the folder of a release's pickles and a record for each, made when they are not there yet."""
    path = [releases.installed(library, release, cache), *releases.needed(library, cache)]
    folder = cache / library.name / f"made-{release}-{_digest(library)}"
    index = folder / "index.json"
    if not index.exists():
        folder.mkdir(parents=True, exist_ok=True)
        task = {"folder": str(folder), "setup": library.setup, "objects": library.objects}
        task |= {"packages": library.packages, "walk": library.walk, "skip": library.skip}
        records = children.made(path, task)
        _add_targets(records, folder, path, library)
        index.write_text(json.dumps(records, indent=1), encoding="utf-8")
    return folder, json.loads(index.read_text(encoding="utf-8"))


def loads(pair: Pair, writer: str, reader: str, cache: Path) -> list[Load]:
    """Load the writer's pickles under the reader."""
    library = pair.library
    folder, written = objects(library, writer, cache)
    _, known = objects(library, reader, cache)
    written = [record for record in written if "file" in record]
    by_label = {record["label"]: record for record in known if "attributes" in record}
    of_class = _of_class(known)
    items = []
    for record in written:
        fresh = by_label.get(record["label"], {})
        items.append(
            {
                "label": record["label"],
                "file": record["file"],
                "members": bool(record.get("members")),
                "attributes": {**of_class, **fresh.get("attributes", {})},
                "raises": sorted({*fresh.get("raises", ()), *record["raises"]}),
                "arguments": record["arguments"],
                "group": record["group"],
            }
        )
    targets = {record["label"]: tuple(record["targets"]) for record in written}
    version = hashlib.sha256(HERE.joinpath("inside", "load.py").read_bytes()).hexdigest()[:12]
    kept = folder / f"loaded-by-{reader}-{version}.json"
    if not kept.exists():
        path = [releases.installed(library, reader, cache), *releases.needed(library, cache)]
        task = {"folder": str(folder), "packages": library.packages, "items": items}
        answers = children.loaded(path, task)
        kept.write_text(json.dumps(answers, indent=1), encoding="utf-8")
    return [_load(answer, targets[answer["label"]]) for answer in json.loads(kept.read_text(encoding="utf-8"))]


def lacking(pair: Pair, writer: str, reader: str, cache: Path, target: str, names: Sequence[str]) -> set[str]:
    """Return which of `names` an object of class `target` lacks that the reader has loaded from the writer's pickle.

    What a class has whose new objects cannot be made or dumped here is not known from them; its old objects are asked.
    """
    library = pair.library
    folder, written = objects(library, writer, cache)
    items = [record for record in written if "file" in record and target in record["targets"]]
    path = [releases.installed(library, reader, cache), *releases.needed(library, cache)]
    task = {"folder": str(folder), "packages": library.packages, "items": items, "target": target, "names": names}
    answers, _ = children.run("ask", path, task)
    return {name for answer in answers for name in answer["lacking"]}


def _load(answer: dict[str, Any], targets: tuple[str, ...]) -> Load:
    raised = [f"{use}: {text}" for use, text in answer.get("raised", {}).items()]
    absent = tuple(answer.get("absent", ()))
    return Load(
        label=answer["label"],
        outcome=answer["outcome"],
        what=answer.get("error") or "; ".join([*raised, *absent]),
        targets=targets,
        absent=absent,
    )


def _of_class(records: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """Return what every object of a class has, whichever label it came from."""
    found: dict[str, set[str]] = {}
    for record in records:
        for name, names in record.get("attributes", {}).items():
            found[name] = found.get(name, set(names)) & set(names)
    return {name: sorted(names) for name, names in found.items()}


def _add_targets(records: Sequence[dict[str, Any]], folder: Path, path: Sequence[Path], library: Library) -> None:
    """Add to each record the library's globals that loading its pickle calls."""
    items = [{"label": record["label"], "file": record["file"]} for record in records if "file" in record]
    answers, _ = children.run("called", path, {"folder": str(folder), "items": items})
    called = {answer["label"]: answer["called"] for answer in answers}
    for record in records:
        names = called.get(record["label"], [])
        record["targets"] = [name for name in names if name.partition(":")[0].partition(".")[0] in library.packages]


def _digest(library: Library) -> str:
    """Return a digest of all that decides what is made."""
    digest = hashlib.sha256(repr((library.packages, library.walk, library.skip, library.setup)).encode())
    digest.update(repr((library.objects, library.needs)).encode())
    for name in ("called", "graph", "guess", "make", "quiet", "using", "walk"):
        digest.update(HERE.joinpath("inside", f"{name}.py").read_bytes())
    return digest.hexdigest()[:12]


def counts(found: Sequence[Load]) -> Counter[str]:
    """Return how many loads came out how."""
    return Counter(load.outcome for load in found)
