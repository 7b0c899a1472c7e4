"""Names to codes in one small message that uses its memo: one pass, and the slots that are fetched have new numbers."""

from collections import Counter
from typing import Final

from extreg.pickles.rewriting.renaming import without_live_code
from extreg.pickles.walking import patterns
from extreg.pickles.walking.patterns import opcode_of
from extreg.registry.model import Registry
from extreg.registry.target import split

_TEXT, _STACK_GLOBAL = b"\x8c\x93"
_EXTENSIONS: Final = frozenset(b"\x82\x83\x84")
_MEMOIZE: Final = b"\x94"
_BYTE: Final = 1 << 8

# A pickle as `patterns.linear` takes it apart: a run of opcodes that leave the memo alone; a string, STACK_GLOBAL, code
# or STOP; and a MEMOIZE or GET.
_Parts = list[tuple[bytes, bytes, bytes]]

# What the pass makes of it: opcodes to write as they are, and the slot that they fill or -1; or none, and what is
# fetched from a slot, with a GET's place in the order.
_Item = tuple[bytes | None, int]


def renumbered(data: bytes, start: int, registry: Registry) -> bytes | None:
    """Return a pickle of protocol 4 or 5 with live codes for names, its memo without what is not fetched."""
    found: _Parts = patterns.linear()(data, start)
    if sum([len(run) + len(what) + len(memo) for run, what, memo in found]) + start != len(data):
        return None
    codes = registry.derived(_codes)
    texts: dict[int, bytes] = {}
    planned = _planned(found, codes, registry, texts)
    if planned is None:
        return None
    items, named = planned
    if not named:
        return data
    written = _written(items, texts)
    if written is None:
        return None
    made = data[:2] + written
    if len(made) > len(data):
        return None
    again: _Parts = patterns.linear()(made, 2)
    if sum([len(run) + len(what) + len(memo) for run, what, memo in again]) + 2 != len(made):
        return None
    names = registry.derived(_names)
    before = told(found, names)
    return made if before is not None and told(again, names) == before else None


def _planned(  # noqa: C901 - one loop, a branch per kind of part
    found: _Parts, codes: dict[tuple[bytes, bytes], bytes], registry: Registry, texts: dict[int, bytes]
) -> tuple[list[_Item], int] | None:
    """Return what is to be written, and how many codes; put into `texts` which slots hold strings.

    A name that has a code but not among `codes`, as an alias or a former name has, is not for here.
    """
    items: list[_Item] = []
    filled = named = 0
    for run, what, memo in found:
        if run:
            items.append((run, -1))
        slot = -1
        if memo == _MEMOIZE:
            slot = filled
            filled += 1
        if what:
            if what[0] == _TEXT:
                if not what.isascii() and not _is_text(what):
                    return None
                if slot >= 0:
                    texts[slot] = what
            elif what[0] == _STACK_GLOBAL:
                if run or len(items) < 2:
                    return None
                module, name = [texts.get(number, b"") if text is None else text for text, number in items[-2:]]
                if not _is_string(module) or not _is_string(name):
                    return None
                code = codes.get((module, name))
                if code is not None:
                    del items[-2:]
                    what = code
                    named += 1
                elif is_to_change(_target(module, name), registry):
                    return None
            items.append((what, slot))
        elif slot >= 0:
            items.append((b"", slot))
        if memo and slot < 0:
            number = int.from_bytes(memo[1:], "little")
            if number >= filled:
                return None
            items.append((None, number))
    stops = [what for _, what, _ in found].count(b".")
    return (items, named) if stops == 1 and items[-1][0] == b"." else None


def is_to_change(target: str, registry: Registry) -> bool:
    """Tell whether `target` has a live code, under its own name or today's, or once named what is load-only."""
    if registry.code(target) is not None:
        return True
    today = registry.current(target)
    return registry.code(today) is not None or (today != target and today in registry.derived(without_live_code))


def _is_string(opcodes: bytes) -> bool:
    # A run of opcodes may begin as a string does.
    return opcodes[:1] == b"\x8c" and len(opcodes) == opcodes[1] + 2


def _is_text(opcodes: bytes) -> bool:
    try:
        opcodes[2:].decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _target(module: bytes, name: bytes) -> str:
    return ":".join(part[2:].decode("utf-8", "surrogatepass") for part in (module, name))


def _written(items: list[_Item], texts: dict[int, bytes]) -> bytes | None:
    """Return what is planned: of what is memoized, what is fetched, in slots of new numbers.

    A string whose first place is gone comes where it is fetched first.
    """
    fetched = Counter([slot for opcodes, slot in items if opcodes is None])
    numbers: dict[int, int] = {}
    pieces: list[bytes] = []
    for opcodes, slot in items:
        if opcodes is None:
            fetched[slot] -= 1
            number = numbers.get(slot)
            if number is not None:
                pieces.append(b"h%c" % number if number < _BYTE else b"j" + number.to_bytes(4, "little"))
                continue
            if slot not in texts:
                return None
            opcodes = texts[slot]
        pieces.append(opcodes)
        if slot >= 0 and fetched[slot] > 0:
            numbers[slot] = len(numbers)
            pieces.append(_MEMOIZE)
    return b"".join(pieces)


def told(found: _Parts, names: dict[bytes, bytes]) -> list[bytes | tuple[int, int]] | None:
    """Return what a pickle says, whatever is in which slot: codes by their names, and strings where they are fetched.

    What else is fetched is told by where it stood.
    """
    said: list[bytes | tuple[int, int]] = []
    opcodes = b""
    slots: list[bytes | tuple[int, int]] = []
    for run, what, memo in found:
        opcodes += run
        if what:
            opcodes += names.get(what, what) if what[0] in _EXTENSIONS else what
        if memo == _MEMOIZE:
            slots.append(what if what and what[0] == _TEXT else (len(said), len(opcodes)))
        elif memo:
            number = int.from_bytes(memo[1:], "little")
            if number >= len(slots):
                return None
            held = slots[number]
            if isinstance(held, bytes):
                opcodes += held
            else:
                said += opcodes, held
                opcodes = b""
    return [*said, opcodes]


def _codes(registry: Registry) -> dict[tuple[bytes, bytes], bytes]:
    """Return the opcode for each live code by the two strings that name it."""
    found = {}
    for code, target in registry.codes.items():
        module, name = (part.encode() for part in split(target))
        if len(module) < _BYTE and len(name) < _BYTE:
            found[b"\x8c%c%s" % (len(module), module), b"\x8c%c%s" % (len(name), name)] = opcode_of(code)
    return found


def _names(registry: Registry) -> dict[bytes, bytes]:
    """Return the opcodes that name what each live code stands for."""
    return {code: module + name + b"\x93" for (module, name), code in registry.derived(_codes).items()}
