"""A census as a value: what was counted, where, from when to when, and how far; as JSON of ints and strings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from extreg.census.counts import Counts, Name, Told, Total
from extreg.census.position import Group, Options, Position
from extreg.census.typed import Typed
from extreg.pickles.tally import Use

# Of the JSON.  What another version wrote is not added to, nor gone on with.
VERSION = 1
KIND = "census of pickles"


@dataclass(slots=True)
class Place:
    """A place as it may be shown, how many cells were found there, and how many files, or other cells, hold pickles."""

    place: str
    cells: int = 0
    holding: int = 0


@dataclass(slots=True, eq=False)
class Progress:
    """A part that is being read, with what was counted in it; that is added to the rest when the part is done."""

    position: Position
    counts: Counts = field(default_factory=Counts)


@dataclass(slots=True, kw_only=True)
class Census:
    """What the pickles in ``places`` refer to.

    It is the ``share`` of so many ``shares`` (1 of 1 is all of it), and ``cut`` tells whether others were cut from the
    same parts.  ``started`` and ``finished`` are times in UTC; ``finished`` is None, and ``parts`` are what is left to
    be read, until all of it was.  ``registry`` is the fingerprint of the one that was in effect, if there was one.
    """

    places: list[Place]
    options: Options
    started: datetime
    share: int = 1
    shares: int = 1
    cut: str = ""
    registry: str | None = None
    finished: datetime | None = None
    counts: Counts = field(default_factory=Counts)
    parts: list[Progress] = field(default_factory=list)

    @property
    def total(self) -> Counts:
        """What was counted until now, in all parts."""
        if not self.parts:
            return self.counts
        total = Counts()
        total.add(self.counts)
        for part in self.parts:
            total.add(part.counts)
        return total

    @property
    def names(self) -> list[str]:
        """The places as they may be shown."""
        return [place.place for place in self.places]

    @property
    def empty(self) -> list[str]:
        """The places in which nothing was found at all: a mistake, or something that is not mounted."""
        return [place.place for place in self.places if not place.cells]

    def expect(self, parts: Iterable[Position]) -> None:
        """Note parts that are to be read."""
        self.parts += [Progress(part) for part in parts]

    def finish(self, now: datetime) -> None:
        """Note that all parts are done."""
        assert not self.parts
        self.finished = now

    def as_json(self) -> dict[str, Any]:
        """Return the census as JSON has it; what is not known of it is left out."""
        total = self.total
        document: dict[str, Any] = {"version": VERSION, "kind": KIND}
        if self.registry is not None:
            document["registry"] = self.registry
        if self.options.code is not None:
            document["code"] = self.options.code
        document |= {"carve": int(self.options.carve), "share": self.share, "shares": self.shares, "cut": self.cut}
        document["started"] = written(self.started)
        if self.finished is not None:
            document["finished"] = written(self.finished)
        document["places"] = [
            {"place": place.place, "cells": place.cells, "holding": place.holding} for place in self.places
        ]
        document |= _counts_as_json(total)
        if self.parts:
            document["left"] = [_progress_as_json(part) for part in self.parts]
            # What the parts that are done come to: the numbers above have those of the others in them.
            document["done"] = _counts_as_json(self.counts)
        return document

    @classmethod
    def from_json(cls, document: object) -> "Census":
        """Return the census that `document` is; raise ValueError that says where it is none."""
        top = Typed(document)
        if top.optional_text("kind") != KIND:
            raise ValueError("it is no census: a census is what scan --journal and census merge write")
        if top.number("version") != VERSION:
            raise ValueError(f"version: this extreg reads {VERSION}, and it is of version {top.number('version')}")
        left = [_progress_from_json(part) for part in top.optional_rows("left")]
        finished = top.optional_text("finished")
        return cls(
            places=[Place(row.text("place"), row.number("cells"), row.number("holding")) for row in top.rows("places")],
            options=Options(top.optional_number("code"), bool(top.number("carve"))),
            started=time_of(top.text("started")),
            share=top.number("share"),
            shares=top.number("shares"),
            cut=top.text("cut"),
            registry=top.optional_text("registry"),
            finished=time_of(finished) if finished is not None else None,
            counts=_counts_from_json(top.table("done") if left else top),
            parts=left,
        )


def written(time: datetime) -> str:
    """Return a time as it is written: in UTC, to the second."""
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_of(text: str) -> datetime:
    """Return the time that `written` wrote; raise ValueError for anything else."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def code_rows(codes: Mapping[int, Total]) -> list[dict[str, int]]:
    """Return the rows of codes, as `extreg scan --format json` has them too."""
    return [{"code": code, **total._asdict()} for code, total in sorted(codes.items())]


def _global_rows(totals: Mapping[Name, Total]) -> list[dict[str, Any]]:
    return [{"module": module, "name": name, **total._asdict()} for (module, name), total in sorted(totals.items())]


_NUMBERS = ("cells", "holding", "without", "pickles", "bytes", "unresolved", "faults")


def _counts_as_json(counts: Counts) -> dict[str, Any]:
    return {
        **{name: getattr(counts, name) for name in _NUMBERS},
        "codes": code_rows(counts.codes),
        "globals": _global_rows(counts.globals),
        "opaque": [{"kind": kind, "count": count} for kind, count in sorted(counts.opaque.items())],
        "unreadable": [told._asdict() for told in sorted(counts.unreadable)],
        "unknown": [
            {"path": path, "kind": kind, "count": count} for (path, kind), count in sorted(counts.unknown.items())
        ],
        "where": [{"path": path, **use._asdict()} for path, use in sorted(counts.where.items())],
    }


def _counts_from_json(top: Typed) -> Counts:
    return Counts(
        **{name: top.number(name) for name in _NUMBERS},
        codes={row.number("code"): _total(row) for row in top.rows("codes")},
        globals={(row.text("module"), row.text("name")): _total(row) for row in top.rows("globals")},
        opaque={row.text("kind"): row.number("count") for row in top.rows("opaque")},
        unreadable=[Told(row.text("path"), row.text("member"), row.text("message")) for row in top.rows("unreadable")],
        unknown={(row.text("path"), row.text("kind")): row.number("count") for row in top.rows("unknown")},
        where={
            row.text("path"): Use(row.number("pickles"), row.number("references"), row.number("bytes"))
            for row in top.rows("where")
        },
    )


def _total(row: Typed) -> Total:
    return Total(row.number("files"), row.number("pickles"), row.number("references"), row.number("bytes"))


def _progress_as_json(progress: Progress) -> dict[str, Any]:
    position = progress.position
    document: dict[str, Any] = {"place": position.place, "part": position.part}
    if position.cursor is not None:
        document["cursor"] = position.cursor
    if position.group is not None:
        document["open"] = _group_as_json(position.group)
    # A part that was not begun has counted nothing.
    return document | ({"counts": _counts_as_json(progress.counts)} if position.cursor is not None else {})


def _progress_from_json(row: Typed) -> Progress:
    group = row.optional_table("open")
    position = Position(
        row.number("place"),
        row.text("part"),
        row.optional_text("cursor"),
        group=_group_from_json(group) if group is not None else None,
    )
    counts = row.optional_table("counts")
    return Progress(position, _counts_from_json(counts) if counts is not None else Counts())


def _group_as_json(group: Group) -> dict[str, Any]:
    return {
        "key": group.key,
        "holds": int(group.holds),
        "wrong": int(group.wrong),
        "codes": sorted(group.codes),
        "globals": [{"module": module, "name": name} for module, name in sorted(group.globals)],
    }


def _group_from_json(row: Typed) -> Group:
    return Group(
        row.text("key"),
        bool(row.number("holds")),
        bool(row.number("wrong")),
        set(row.numbers("codes")),
        {(name.text("module"), name.text("name")) for name in row.rows("globals")},
    )


def begin(places: Iterable[str], options: Options, now: datetime, **more: Any) -> Census:
    """Return the census of `places` that has counted nothing yet, and expects no parts yet."""
    return Census(
        places=[Place(place) for place in places], options=options, started=now.replace(microsecond=0), **more
    )
