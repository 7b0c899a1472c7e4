"""Members of an Enum whose pickles mean something else on the other side.

An Enum is pickled as a call of the class with the member's value (Lib/enum.py, `Enum.__reduce_ex__`).
"""

from collections.abc import Iterator, Mapping

from extreg.shapes.change import Change, listed
from extreg.shapes.members import Members, Value
from extreg.shapes.shape import Shape


def enum_changes(wrote: Shape, reads: Shape) -> Iterator[Change]:
    """Yield what became of the values of members."""
    then, now = wrote.enum, reads.enum
    if then is None or now is None or then.unknown or now.unknown or wrote.reduces or reads.reduces:
        return
    gone: dict[str, Value] = {}
    other: dict[str, str] = {}
    for name, value in _canonical(then.values).items():
        if value.text:
            continue
        meant = _name_of(now.values, value)
        if meant is None:
            if not _may_be(then, now) and not _composed(now, value):
                gone[name] = value
        elif meant != name and _is_another(then, now, name, meant, value):
            other[name] = meant
    if gone and not now.missing and now.flag != "IntFlag":
        yield _gone(reads, gone, now)
    if other:
        yield _other(reads, then, other)


def _gone(reads: Shape, gone: Mapping[str, Value], now: Members) -> Change:
    first, value = next(iter(gone.items()))
    says = f"ValueError: {value.shown} is not a valid {reads.qualname}" if not now.flag else "ValueError"
    kept = [f"{name} = {one.shown}" for name, one in gone.items() if name not in now.values]
    asked = {one.shown: name for name, one in gone.items()}
    table = ", ".join(f"{shown}: cls.{name if name in now.values else '...'}" for shown, name in asked.items())
    edits = [f"keep {listed(kept)}"] if kept else []
    if not now.flag:
        edits.append(f"@classmethod def _missing_(cls, value): return {{{table}}}.get(value)")
    elif not kept:
        edits.append(f"give {first} its value back: {value.shown}")
    return Change(
        rule="enum-changed",
        wrote=listed(f"{name} = {one.shown}" for name, one in gone.items()),
        reads=listed(_now(now, name, one) for name, one in gone.items()),
        when="load",
        effect=says,
        edits=tuple(edits),
    )


def _now(now: Members, name: str, value: Value) -> str:
    if name in now.values and not now.values[name].text:
        return f"{name} = {now.values[name].shown}"
    return f"no member with {value.shown}"


def _other(reads: Shape, then: Members, other: Mapping[str, str]) -> Change:
    return Change(
        rule="enum-changed",
        wrote=listed(f"{name} = {then.values[name].shown}" for name in other),
        reads=listed(f"{meant} = {then.values[name].shown}" for name, meant in other.items()),
        when="silent",
        effect=listed(f"with {reads.name}.{name} loads as {reads.name}.{meant}" for name, meant in other.items()),
        edits=(f"write the values as they were: {listed(f'{name} = {then.values[name].shown}' for name in other)}",),
    )


def _canonical(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the members without their aliases."""
    return {name: value for name, value in values.items() if value.text or _name_of(values, value) == name}


def _name_of(values: Mapping[str, Value], value: Value) -> str | None:
    """Return the first member with a value: as Enum looks it up, by equality."""
    return next((name for name, one in values.items() if not one.text and one.constant == value.constant), None)


def _is_another(then: Members, now: Members, name: str, meant: str, value: Value) -> bool:
    """Whether `meant` is not just the new name of `name`."""
    own = now.values.get(name)
    if own is not None:
        return not own.text and own.constant != value.constant
    before = then.values.get(meant)
    return before is not None and not before.text and before.constant != value.constant


def _may_be(then: Members, now: Members) -> bool:
    """Whether some value of today that nobody can read may be the one that is looked for."""
    return any(value.text and then.values.get(name) != value for name, value in now.values.items())


def _composed(now: Members, value: Value) -> bool:
    """Whether a flag is put together from members that there are."""
    numbers = [one.constant for one in now.values.values() if isinstance(one.constant, int) and not one.text]
    known = 0
    for number in numbers:
        known |= number
    return bool(now.flag) and isinstance(value.constant, int) and value.constant >= 0 and not value.constant & ~known
