"""What the walk is held to: `pickletools.genops` and the plainest symbolic stack that will do.

Three readers of pickletools are put right first, because on many interpreters they are wrong (gh-126997), and on all
of them they undo escapes in the lines of GLOBAL, INST and PERSID, which no unpickler does.
"""

import io
import pickletools
import warnings
from contextlib import contextmanager


class Malformed(Exception):
    pass


def line(file):
    data = file.readline()
    if not data.endswith(b"\n"):
        raise ValueError("no newline")
    return data[:-1].decode("utf-8")


def quoted(file):
    data = file.readline()
    if not data.endswith(b"\n"):
        raise ValueError("no newline")
    data = data[:-1]
    if data[:1] not in (b"'", b'"') or data[-1:] != data[:1]:
        raise ValueError("no quotes")
    import codecs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return codecs.escape_decode(data[1:-1])[0].decode("latin-1")


READERS = {
    "stringnl_noescape": line,
    "stringnl_noescape_pair": lambda file: (line(file), line(file)),
    "stringnl": quoted,
}


@contextmanager
def readers_put_right():
    arguments = {op.arg.name: op.arg for op in pickletools.opcodes if op.arg and op.arg.name in READERS}
    before = {name: argument.reader for name, argument in arguments.items()}
    try:
        for name, argument in arguments.items():
            argument.reader = READERS[name]
        yield
    finally:
        for name, argument in arguments.items():
            argument.reader = before[name]


class Unknown(dict):
    """A memo of which nobody knows what is in it."""

    def get(self, slot):
        return None


MARK = "a mark"
FETCHED = "fetched from the memo"
STRINGS = {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}


def events(data):
    """Return ``([(kind, offset, opcode, module, name, number)], offset of the error or None)``.

    Where a pickle fetches what it has not memoized, nothing is known of what any but the first fetches.
    """
    found, error = _events(data, carried=False)
    ends = [event[1] for event in found if event[0] == "stop"]
    if ends and _is_carried(data[: ends[-1] + 1]):
        return _events(data, carried=True)
    return found, error


def doubted(data):
    """Return where names are fetched from the memo behind another pickle, which may be called unresolved: whose memo
    that is does not always show.
    """
    found = set()
    _events(data, carried=False, doubted=found)
    return found


def _is_carried(data):
    with readers_put_right():
        file = io.BytesIO(data)
        while file.tell() < len(data):
            filled = set()
            for op, argument, _ in pickletools.genops(file):
                if "PUT" in op.name or op.name == "MEMOIZE":
                    filled.add(len(filled) if op.name == "MEMOIZE" else argument)
                elif "GET" in op.name and argument not in filled:
                    return True
    return False


def _events(data, carried, doubted=None):
    with readers_put_right():
        found, file = [], io.BytesIO(data)
        while True:
            begin = file.tell()
            stack, memo = [], Unknown() if carried and begin else {}
            steps = pickletools.genops(file)
            while True:
                at = file.tell()
                try:
                    op, argument, offset = next(steps)
                except StopIteration:
                    break
                except ValueError:
                    return found, at
                if doubted is not None and stack[-2:] and op.name == "STACK_GLOBAL":
                    doubted.update({offset} if begin and any(FETCHED in item for item in stack[-2:] if item) else ())
                perform(found, stack, memo, op, argument, offset)
                if "GET" in op.name and stack[-1] is not None:
                    stack[-1] = (*stack[-1][:2], FETCHED)
            if file.tell() == len(data):
                return found, None


def perform(found, stack, memo, op, argument, offset):  # noqa: C901 - plain on purpose
    name = op.name

    def say(kind, module=None, qualname=None, number=None):
        found.append((kind, offset, name, module, qualname, number))

    def pop():
        return stack.pop() if stack and stack[-1] != MARK else None

    def pop_to_mark():
        while stack and stack.pop() != MARK:
            pass

    top = stack[-1] if stack and stack[-1] != MARK else None
    if name in {"PROTO", "FRAME"}:
        say(name.lower(), number=argument)
    elif name == "STOP":
        say("stop")
    elif name == "POP":
        if stack:
            stack.pop()
    elif name == "DUP":
        stack.append(top)
    elif name == "MARK":
        stack.append(MARK)
    elif "PUT" in name:
        memo[argument] = top
    elif name == "MEMOIZE":
        memo[len(memo)] = top
    elif "GET" in name:
        stack.append(memo.get(argument))
    elif name in STRINGS:
        text = argument if isinstance(argument, str) else argument.decode("latin-1")
        # A tuple, so that no string of the data can be taken for a MARK.
        stack.append(("str", text) if "UNICODE" in name or text.isascii() else None)
    elif name == "GLOBAL":
        say("global", *argument)
        stack.append(None)
    elif name == "INST":
        say("global", *argument)
        pop_to_mark()
        stack.append(None)
    elif name == "STACK_GLOBAL":
        qualname, module = pop(), pop()
        if module and qualname:
            say("global", module[1], qualname[1])
        else:
            say("unresolved")
        stack.append(None)
    elif name.startswith("EXT"):
        say("code", number=argument)
        stack.append(None)
    else:
        if any(item.name == "mark" for item in op.stack_before):
            pop_to_mark()
            if any(item.name in {"list", "dict", "set"} for item in op.stack_before):
                return
        elif name in {"APPEND", "SETITEM", "BUILD"}:
            for _ in op.stack_before[1:]:
                pop()
            return
        else:
            for _ in op.stack_before:
                pop()
        for _ in op.stack_after:
            stack.append(None)
