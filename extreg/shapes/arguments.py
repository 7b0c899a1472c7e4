"""Calls in pickles that a signature of the other side refuses, or takes for others."""

from collections.abc import Callable, Iterator

from extreg.shapes.change import Change, listed, quoted
from extreg.shapes.shape import Shape
from extreg.shapes.signatures import Parameters

Function = Callable[[str], "Parameters | None"]


def function_changes(wrote: Shape, reads: Shape) -> Iterator[Change]:
    """Yield what calls of a function that are in pickles (of reducers, of partials) meet."""
    then, now = wrote.parameters, reads.parameters
    if then is None or now is None or then == now:
        return
    most = len(then.positional) if not then.star else max(len(now.positional) + 1, len(then.positional))
    counts = [count for count in range(len(then.required), most + 1) if not then.refusal(count)]
    refusal = next(((count, text) for count in counts if (text := now.refusal(count))), None)
    signatures = _written(wrote.qualname, then), _written(reads.qualname, now)
    if refusal is not None:
        plural = "s" if refusal[0] != 1 else ""
        yield Change(
            rule="arguments-changed",
            wrote=signatures[0],
            reads=signatures[1],
            when="load",
            effect=f"{refusal[1]}, where it calls it with {refusal[0]} argument{plural}",
            edits=_take(then, now),
        )
    elif moved := _moved(then, now):
        yield _moves(signatures, moved)


def argument_changes(wrote: Shape, reads: Shape, function: Function) -> Iterator[Change]:
    """Yield what calls of the class, of its ``__new__`` or of a reducer's function meet."""
    if wrote.tuple_fields is not None and reads.tuple_fields is not None:
        yield from _tuples(wrote, reads)
        return
    if wrote.reduces is not None:
        for call in dict.fromkeys(wrote.reduces.calls):
            takes = reads.parameters if call.what == "class" else function(call.what) if call.what else None
            if call.given is not None and takes is not None and (said := takes.refusal(call.given)):
                own = wrote.parameters if call.what == "class" else call.parameters
                if own is None or not own.refusal(call.given):
                    yield _refused(call.given, takes, said, "__reduce__")
                    return
        return
    if wrote.arguments is not None and reads.new is not None and not wrote.builds:
        said = reads.new.refusal(wrote.arguments)
        if said and not (wrote.new is not None and wrote.new.refusal(wrote.arguments)):
            yield _refused(wrote.arguments, reads.new, said, "__getnewargs__" if wrote.arguments else "")
            return
    if wrote.form == "list" and reads.generated == "list" and reads.restores is None:
        yield from _sequences(wrote, reads)
    if reads.abstract and not wrote.abstract:
        names = quoted(reads.abstract)
        yield Change(
            rule="base-changed",
            wrote="no abstract methods",
            reads=f"abstract {names}",
            when="load",
            effect=f"TypeError: Can't instantiate abstract class {reads.name}",
            edits=(f"define {names} in {reads.name}",),
        )


def refused(count: int, takes: Parameters) -> str:
    """Return how a call with `count` arguments is told of."""
    plural = "s" if count != 1 else ""
    return f"{takes.says}() with {count or 'no'} argument{plural}"


def _refused(count: int, takes: Parameters, said: str, by: str) -> Change:
    source = f" from {by}" if by else ""
    return Change(
        rule="arguments-changed",
        wrote=f"pickles that call {refused(count, takes)}{source}",
        reads=_written(takes.says, takes),
        when="load",
        effect=said,
        edits=_take_count(count, takes),
    )


def _tuples(wrote: Shape, reads: Shape) -> Iterator[Change]:
    then = tuple(field.name for field in wrote.tuple_fields or ())
    now = tuple(field.name for field in reads.tuple_fields or ())
    takes = reads.new
    if wrote.reduces is not None or wrote.arguments is None or takes is None or wrote.hooks.get("__getnewargs__"):
        return
    sides = f"{wrote.name}({', '.join(then)})", f"{reads.name}({', '.join(now)})"
    said = takes.refusal(len(then))
    if said:
        yield Change(
            rule="arguments-changed",
            wrote=sides[0],
            reads=sides[1],
            when="load",
            effect=said,
            edits=_take_count(len(then), takes),
        )
    elif moved := _moved(Parameters(then), Parameters(now)):
        yield _moves(sides, moved)


def _sequences(wrote: Shape, reads: Shape) -> Iterator[Change]:
    """Compare the lists of values that frozen dataclasses with slots write."""
    moved = _moved(Parameters(wrote.sequence), Parameters(reads.sequence))
    if moved:
        yield _moves((f"fields {listed(wrote.sequence)}", f"fields {listed(reads.sequence)}"), moved)


def _moved(then: Parameters, now: Parameters) -> list[tuple[str, str]]:
    """Return which names have another's place: what was meant, and what it is taken for."""
    before, after = then.positional, now.positional
    pairs = zip(before, after, strict=False)
    return [(old, new) for old, new in pairs if old != new and (old in after or new in before)]


def _moves(sides: tuple[str, str], moved: list[tuple[str, str]]) -> Change:
    return Change(
        rule="arguments-changed",
        wrote=sides[0],
        reads=sides[1],
        when="silent",
        effect=listed(f"gives its {old!r} as {new!r}" for old, new in moved),
        edits=("keep the old order, and put what is new at the end with a default",),
    )


def _take(then: Parameters, now: Parameters) -> tuple[str, ...]:
    new = [name for name in (*now.required, *now.keyword) if name not in then.required]
    if new:
        return (f"give {listed(new)} a default",)
    return (f"take {listed(then.positional[len(now.positional) :]) or 'the same arguments'} still",)


def _take_count(count: int, takes: Parameters) -> tuple[str, ...]:
    missing = [*takes.required[count:], *takes.keyword]
    if missing:
        return (f"give {listed(missing)} a default",)
    more = count - len(takes.positional)
    return (f"keep taking {more} more argument{'s' if more != 1 else ''}",)


def _written(name: str, takes: Parameters) -> str:
    """Return a signature as it is written, without what Python binds."""
    parts = [*takes.required, *(f"{one}=..." for one in takes.optional)]
    if takes.star:
        parts.append("*args")
    elif takes.keyword or takes.others:
        parts.append("*")
    parts += [*takes.keyword, *(f"{one}=..." for one in takes.others)]
    if takes.double:
        parts.append("**kwargs")
    return f"{name}({', '.join(parts)})"
