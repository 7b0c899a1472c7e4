"""A disassembly in the manner of `pickletools.dis`, with the global behind each code and STACK_GLOBAL beside it."""

from collections.abc import Iterator

from extreg.pickles.walking.events import Event
from extreg.pickles.walking.names import loaded
from extreg.pickles.walking.opcodes import TO_MARK, Buffer, Step, step, steps, string
from extreg.pickles.walking.walker import flat, walk
from extreg.printable import printable
from extreg.registry.model import Registry

_WIDEST = 60
_EVENTFUL = frozenset(b"ci\x93\x82\x83\x84\x80\x95.")
_MARK, _MEMOIZE = b"(\x94"
_PUTS = frozenset(b"pqr\x94")


def disassemble(data: Buffer, registry: Registry | None = None) -> Iterator[str]:
    """Yield one line for each opcode of each pickle in `data`, without the newline.

    Beside a code stands its target and its state in `registry`; beside a STACK_GLOBAL or GLOBAL its target, what that
    is called now if it is a former name, and its code if it has one. An empty line and a heading part pickles in a row.
    Raises `MalformedPickleError` after the lines before the fault.
    """
    data = flat(data)
    begin, number, events = 0, 0, walk(data)
    step(data, 0)  # an empty file is an error before it is a disassembly
    while begin < len(data):
        number += 1
        if number > 1:
            yield ""
            yield f"pickle {number}, at byte {begin}"
        slots, protocol = 0, 0
        marks: list[int] = []
        for found in steps(data, begin):
            event = next(events) if found.opcode.byte in _EVENTFUL else None
            if event is not None and event.kind == "proto":
                protocol = event.number or 0
            notes = []
            if found.opcode.byte == _MEMOIZE:
                notes.append(f"(as {slots})")
            slots += found.opcode.byte in _PUTS
            if found.opcode.takes == TO_MARK:
                notes.append(f"(MARK at {marks.pop()})" if marks else "(no MARK)")
            if event is not None:
                notes += _beside(event, protocol, registry)
            yield _line(data, found, len(marks), notes)
            if found.opcode.byte == _MARK:
                marks.append(found.offset)
        begin = found.end


def _line(data: Buffer, found: Step, depth: int, notes: list[str]) -> str:
    byte = repr(bytes([found.opcode.byte]))[2:-1]
    words = [f"{found.offset:5d}: {byte:<4} {'  ' * depth}{found.opcode.name:<14}", _argument(data, found), *notes]
    line = " ".join(word for word in words if word).rstrip()
    return printable(line)


def _argument(data: Buffer, found: Step) -> str:
    """Return the argument as a person would write it, and of a long one only the beginning."""
    layout, size = found.opcode.argument, found.stop - found.start
    if layout == "0":
        return ""
    raw = bytes(data[found.start : min(found.stop, found.start + 4 * _WIDEST)])
    if layout.isdigit():
        if found.opcode.name == "BINFLOAT":
            return repr(_float(raw))
        return str(int.from_bytes(raw, "little", signed=found.opcode.name in {"BININT", "EXT4"}))
    if found.opcode.name in {"LONG1", "LONG4"} and size <= _WIDEST // 4:
        return str(int.from_bytes(raw, "little", signed=True))
    if layout[0] == "\n" and found.opcode.holds not in {"quoted", "escaped"}:
        return str(raw, "utf-8", "replace").replace("\n", " ")
    text = string(data, found) if size <= len(raw) else None
    shown = repr(text if text is not None else raw)
    return shown if len(shown) <= _WIDEST else f"{shown[:_WIDEST]}... ({size} bytes)"


def _float(raw: bytes) -> float:
    from struct import unpack

    value: float = unpack(">d", raw)[0]
    return value


def _beside(event: Event, protocol: int, registry: Registry | None) -> list[str]:
    """Return what to write beside an opcode that refers to something."""
    if event.kind == "code":
        code = event.number or 0
        if registry is None:
            return []
        target = registry.target(code) or registry.retired.get(code)
        return [f"{target} [{registry.state(code)}]"] if target is not None else ["[unknown]"]
    if event.kind == "unresolved":
        return ["[unresolved]"]
    if event.module is None or event.name is None:
        return []
    named = event.target or repr((event.module, event.name))
    actual = loaded(event.module, event.name, protocol)
    # The argument of a GLOBAL says already what it names, unless that is Python 2's name.
    notes = [named] if event.opcode == "STACK_GLOBAL" else []
    if actual != (event.module, event.name):
        notes.append(f"-> {':'.join(actual)}")
    if registry is None:
        return notes
    today = registry.current(":".join(actual))
    if today != ":".join(actual):
        notes.append(f"[now {today}]")
    code_of = registry.code(today)
    return [*notes, f"[code {code_of}]"] if code_of is not None else notes
