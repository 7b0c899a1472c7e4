"""What to write so that pickles of the other side load: edits, the cheapest first."""

from collections.abc import Sequence

from extreg.shapes.shape import Shape


def next_version(shape: Shape) -> int:
    """Return the version above the one that a class has; undecorated ones count as the first."""
    number = shape.version.number if shape.version is not None else None
    return (number or 1) + 1


def migration(reads: Shape, state: str) -> str:
    """Return the decorator that brings a state of the present version up to the next by the expression `state`."""
    number = next_version(reads)
    return f"@versioned({number}, {{{number - 1}: lambda state: {state}}})"


def as_list(reads: Shape, state: str) -> str:
    """Return the expression that makes a frozen dataclass's list of values from the dict `state`.

    Python 3.10 puts its own ``__setstate__`` over one in the class, so that only a migration helps there.
    """
    return f"[{state}.get(name) for name in {reads.sequence!r}]"


def staged(wrote: Shape, reads: Shape) -> str:
    """Return what to give to the decorator of the writing side as long as there are readers of the other."""
    assert wrote.version is not None
    known = wrote.version.unversioned if reads.version is None else reads.version.number
    number = wrote.version.number
    if known is None or number is None:
        return "write= the version that they read"
    back = ", ".join(f"{step}: ..." for step in range(known, number))
    return f"@versioned({number}, ..., write={known}" + (f", reverse={{{back}}})" if back else ")")


def add_values(wrote: Shape, reads: Shape, names: Sequence[str], gone: Sequence[str]) -> tuple[str, ...]:
    """Return the edits that give old objects the attributes `names`; `gone` are those that they have in their place."""
    edits = []
    plain = [name for name in names if name not in reads.slots]
    if len(plain) == len(names) and reads.generated == "":
        made = {field.name for field in reads.fields} & set(names)
        if not (made and reads.made_by == "attrs"):  # attrs leaves no default in the class
            line = "; ".join(f"{name}{': ...' if made else ''} = None" for name in names)
            edits.append(f"a default in the class, {line}" + ("" if made else ", which old readers need not know"))
    if reads.version is not None or _has_state(wrote):
        edits.append(migration(reads, _state_with(wrote, names, gone)))
    else:
        edits.append(f"set {', '.join(names)} in __new__")
    return tuple(edits)


def _has_state(wrote: Shape) -> bool:
    """Whether every pickle has a state, without which no migration runs for a class that was not versioned."""
    return wrote.version is not None or bool(wrote.certain) or wrote.form in ("list", "custom")


def _state_with(wrote: Shape, names: Sequence[str], gone: Sequence[str]) -> str:
    if wrote.form == "list":
        return "[*state" + ", None" * len(names) + "]"
    if len(gone) == 1 == len(names):
        source = "state[1]" if wrote.form == "slots" else "state"
        given = f'"{names[0]}": {source}["{gone[0]}"]'
    else:
        given = ", ".join(f'"{name}": None' for name in names)
    if wrote.form == "slots":
        return f"(state[0], {{{given}, **state[1]}})"
    return f"{{{given}, **state}}"
