"""Bases that make pickles of the one side none of the other's."""

from collections.abc import Iterator

from extreg.shapes.change import Change, quoted
from extreg.shapes.cures import as_list, migration
from extreg.shapes.shape import Shape

_NUMBERS = frozenset({"int", "float", "complex", "str", "bytes"})
_APART = "give it a name and a code of its own, and keep the old class for the pickles that there are"


def base_changes(wrote: Shape, reads: Shape) -> Iterator[Change]:
    """Yield what became of the base that says how a class is pickled: at most one change."""
    if wrote.enum is not None or reads.enum is not None:
        yield from _enum(wrote, reads)
    elif wrote.tuple_fields is not None or reads.tuple_fields is not None:
        yield from _tuple(wrote, reads)
    elif wrote.layout != reads.layout:
        yield from _layout(wrote, reads)
    else:
        yield from _states(wrote, reads)


def _enum(wrote: Shape, reads: Shape) -> Iterator[Change]:
    if wrote.enum is not None and reads.enum is not None:
        return
    if reads.enum is not None:
        if wrote.reduces is None and not wrote.builds and wrote.arguments == 0:
            # The sentence is another one where the Enum has another type for a base.
            yield _change("no Enum", "an Enum", "load", "TypeError", _APART)
        return
    if wrote.reduces is not None:
        return
    yield from _called_with_value(reads)


def _called_with_value(reads: Shape) -> Iterator[Change]:
    """Say what a class that is no Enum any more does when it is called with a value."""
    takes = reads.parameters
    if takes is None and reads.layout == "object" and not reads.initialises:
        takes_none = f"TypeError: {reads.name}() takes no arguments"
        yield _change("an Enum", "no Enum", "load", takes_none, _APART)
    elif takes is not None and takes.refusal(1):
        yield _change("an Enum", "no Enum", "load", takes.refusal(1), _APART)
    elif takes is not None:
        yield _change("an Enum", "no Enum", "silent", f"becomes a new {reads.name} made from the value", _APART)


def _tuple(wrote: Shape, reads: Shape) -> Iterator[Change]:
    if wrote.tuple_fields is not None and reads.tuple_fields is not None:
        return
    if wrote.reduces is not None or wrote.builds:
        return
    if reads.tuple_fields is not None:
        said = reads.new.refusal(wrote.arguments) if reads.new is not None and wrote.arguments is not None else ""
        if said:
            yield _change("no named tuple", "a named tuple", "load", said, _APART)
        return
    names = tuple(field.name for field in wrote.tuple_fields or ())
    if reads.new is not None:
        if said := reads.new.refusal(len(names)):
            yield _change("a named tuple", "none", "load", said, _APART)
    elif reads.layout == "object" and names:
        yield _values_dropped(reads, names, "a named tuple", "none")


def _values_dropped(reads: Shape, names: tuple[str, ...], wrote: str, has: str) -> Change:
    """Say what becomes of arguments that `object.__new__` gets: refused, or dropped where there is an `__init__`."""
    if not reads.initialises:
        return _change(wrote, has, "load", f"TypeError: {reads.name}() takes no arguments", _APART)
    missing = [name for name in names if name in reads.certain and name not in reads.values]
    edit = "a __new__ that takes the old arguments and sets the attributes"
    if missing:
        effect = f"AttributeError: {reads.name!r} object has no attribute {missing[0]!r}"
        return Change(rule="base-changed", wrote=wrote, reads=has, when="used", effect=effect, edits=(edit, _APART))
    return Change(
        rule="base-changed", wrote=wrote, reads=has, when="silent", effect="loses its values", edits=(edit, _APART)
    )


def _layout(wrote: Shape, reads: Shape) -> Iterator[Change]:
    if wrote.reduces is not None or reads.reduces is not None or reads.version is not None:
        return
    had, has = wrote.layout, reads.layout
    sides = (f"base {had}" if had != "object" else "no built-in base"), (f"base {has}" if has != "object" else "none")
    if had == "dict" and "__setitem__" not in reads.values:
        effect = f"TypeError: {reads.name!r} object does not support item assignment"
        yield _change(*sides, "load", effect, "keep dict for a base, or define __setitem__", _APART)
    elif had == "list" and not {"append", "extend"} & reads.values:
        effect = f"AttributeError: {reads.name!r} object has no attribute 'append'"
        yield _change(*sides, "load", effect, "keep list for a base, or define append and extend", _APART)
    elif had in (*_NUMBERS, "tuple") and has == "object" and reads.new is None and wrote.arguments:
        yield _values_dropped(reads, (), *sides)
    elif has in (*_NUMBERS, "tuple") and had == "object" and wrote.arguments == 0 and reads.new is None:
        empty = {"str": "''", "bytes": "b''", "tuple": "()", "int": "0", "float": "0.0", "complex": "0j"}[has]
        yield _change(*sides, "silent", f"becomes {empty} by value", _APART)


def _states(wrote: Shape, reads: Shape) -> Iterator[Change]:
    """Yield where slots of attrs, of frozen dataclasses and plain ones are exchanged for each other."""
    if (
        reads.restores is not None
        or reads.version is not None
        or wrote.reduces is not None
        or reads.reduces is not None
    ):
        return
    names = sorted(wrote.certain & wrote.slots)
    if wrote.form == "slots" and reads.generated in ("attrs", "list") and names:
        kind = "slots of attrs" if reads.generated == "attrs" else "slots of a frozen dataclass"
        effect = f"loads with None for {reads.sequence[0]!r} and a dict for the next" if reads.sequence else ""
        edit = (
            migration(reads, as_list(reads, "state[1]")) if reads.generated == "list" else migration(reads, "state[1]")
        )
        if effect:
            yield _change(f"slots {quoted(names)}", kind, "silent", effect, edit)
    elif wrote.form == "attrs" and not reads.generated and not reads.has_dict and wrote.certain:
        effect = f"AttributeError: {reads.name!r} object has no attribute '__dict__'"
        yield _change("slots of attrs", "plain slots", "load", effect, _taking(reads))
    elif wrote.form == "attrs" and reads.generated == "list" and wrote.certain:
        effect = "loads with the names of fields for their values"
        edit = migration(reads, as_list(reads, "state"))
        yield _change("slots of attrs", "slots of a frozen dataclass", "silent", effect, edit)
    elif wrote.form == "list" and not reads.generated and wrote.sequence:
        # pickle in C says UnpicklingError, the one in Python AttributeError
        yield _change(
            "slots of a frozen dataclass",
            "others",
            "load",
            "an error: the state is a list, and no dict",
            _taking(reads),
        )


def _taking(reads: Shape) -> str:
    return f"a __setstate__ in {reads.name} that takes the old state"


def _change(wrote: str, reads: str, when: str, effect: str, *edits: str) -> Change:
    return Change(rule="base-changed", wrote=wrote, reads=reads, when=when, effect=effect, edits=edits)  # type: ignore[arg-type]
