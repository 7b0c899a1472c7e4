"""What a pickle says, from its opcodes alone: each value as a symbol.  Nothing is imported, called or made."""

from collections.abc import Callable, Mapping
from struct import unpack
from typing import Any, Final, NamedTuple

from extreg.errors import MalformedPickleError
from extreg.jar import literals
from extreg.jar.drawing import Look, Looks, Part, capped, draw
from extreg.pickles.walking.machine import slot
from extreg.pickles.walking.names import loaded
from extreg.pickles.walking.opcodes import TO_MARK, Buffer, Step, names, steps, string

_MARK: Final = object()
_RECONSTRUCTORS: Final = frozenset({"copyreg:_reconstructor", "copy_reg:_reconstructor"})


class Leaf(NamedTuple):
    """A value that is itself and nothing else: as a record shows it, and the string that it is, if it is one.

    ``at`` is where the opcode stands that pushes it, if that has the value for its argument.
    """

    shown: str
    text: str | None = None
    at: int | None = None


class Reference(NamedTuple):
    """A class or function, by its ``target`` or by its ``code``; neither is known where only an execution tells."""

    target: str | None
    code: int | None = None


class Box:
    """A list, tuple, dict, set or frozenset, by its ``kind``; the keys of a dict stand in front of their values."""

    __slots__ = ("items", "kind")

    def __init__(self, kind: str, items: list[Any]) -> None:
        self.kind = kind
        self.items = items


class Made:
    """An object: who makes it (``maker``), ``how``, of which arguments, and what it is given after that."""

    __slots__ = ("args", "how", "items", "kwargs", "maker", "pairs", "states")

    def __init__(self, how: str, maker: Any, args: Any, kwargs: Any = None) -> None:
        self.how = how
        self.maker = maker
        self.args = args
        self.kwargs = kwargs
        self.states: list[Any] = []
        self.items: list[Any] = []
        self.pairs: list[Any] = []


class Pickle(NamedTuple):
    """A pickle as symbols: its ``root``, its ``protocol``, and all ``references`` in it.

    ``leaves`` are the opcodes that push what is in their arguments, by their places, whatever becomes of it; at the
    places in ``named`` are the names of globals.
    """

    root: Any
    protocol: int
    references: tuple[Reference, ...]
    leaves: Mapping[int, Step]
    named: frozenset[int]

    @property
    def subject(self) -> Reference:
        """What it is a pickle of: the class of its root, or the function that makes it."""
        root = self.root
        if isinstance(root, Made):
            root = root.maker
        if isinstance(root, Reference):
            return root
        return Reference(f"builtins:{root.kind}" if isinstance(root, Box) else None)


def read_pickle_as_symbols(data: Buffer) -> Pickle:
    """Return what the one pickle in `data` says.

    Raises `MalformedPickleError` for what no unpickler reads, and where anything follows it.
    """
    machine = _Machine(data)
    end = 0
    for found in steps(data, 0):
        end = found.end
        try:
            machine.perform(found)
        except (IndexError, KeyError, AttributeError, TypeError, ValueError):
            raise MalformedPickleError(f"{found.opcode.name} has nothing that it could work on", found.offset) from None
    if end != len(data):
        raise MalformedPickleError("something follows the pickle", end)
    references = tuple(dict.fromkeys(machine.references))
    return Pickle(machine.stack[-1], machine.protocol, references, machine.leaves, frozenset(machine.named))


def tree_of_bytes(pickle: Pickle, targets: Mapping[int, str]) -> list[str]:
    """Return the lines that show what a pickle says; `targets` are those of its codes."""
    return capped(line for line, _, _ in draw(pickle.root, _SymbolLooks(targets)))


class _Machine:
    """The stack and the memo of an unpickler, with symbols for values."""

    def __init__(self, data: Buffer) -> None:
        self.data = data
        self.stack: list[Any] = []
        self.memo: dict[int | bytes, Any] = {}
        self.protocol = 0
        self.references: list[Reference] = []
        self.leaves: dict[int, Step] = {}
        self.named: set[int] = set()

    def perform(self, found: Step) -> None:
        """Do what an opcode asks for."""
        opcode = found.opcode
        act = _ACTS.get(opcode.name)
        if act is not None:
            act(self, found)
            return
        if opcode.name == "STOP":
            self.stack.append(self.pop())  # what is below it no unpickler minds
            return
        taken = self.to_mark() if opcode.takes == TO_MARK else [self.pop() for _ in range(opcode.takes)][::-1]
        made = _MAKERS[opcode.name](self, found, taken)
        if isinstance(made, Leaf) and found.stop > found.start:
            made = made._replace(at=found.offset)
            self.leaves[found.offset] = found
        self.stack.append(made)

    def pop(self) -> Any:
        """Take the topmost value off the stack; a mark is none."""
        value = self.stack.pop()
        if value is _MARK:
            raise IndexError
        return value

    def to_mark(self) -> list[Any]:
        """Take off what stands above the topmost mark, and the mark."""
        taken = []
        while (value := self.stack.pop()) is not _MARK:
            taken.append(value)
        return taken[::-1]

    def refer(self, reference: Reference) -> Reference:
        """Take note of a reference."""
        self.references.append(reference)
        return reference

    def raw(self, found: Step) -> bytes:
        """Return the argument of an opcode as it stands."""
        return bytes(self.data[found.start : found.stop])

    def number(self, found: Step, *, signed: bool = False) -> int:
        """Return an argument that is a number in binary."""
        return int.from_bytes(self.raw(found), "little", signed=signed)


def _put(machine: _Machine, found: Step) -> None:
    top = machine.stack[-1]
    machine.memo[len(machine.memo) if found.opcode.name == "MEMOIZE" else slot(machine.data, found)] = top


def _get(machine: _Machine, found: Step) -> None:
    machine.stack.append(machine.memo[slot(machine.data, found)])


def _append(machine: _Machine, found: Step) -> None:
    given = machine.to_mark() if found.opcode.takes == TO_MARK else [machine.pop()]
    machine.stack[-1].items += given


def _set(machine: _Machine, found: Step) -> None:
    given = machine.to_mark() if found.opcode.takes == TO_MARK else [machine.pop(), machine.pop()][::-1]
    if len(given) % 2:
        raise IndexError
    owner = machine.stack[-1]
    if isinstance(owner, Made):
        owner.pairs += given
    else:
        owner.items += given


def _build(machine: _Machine, _: Step) -> None:
    state = machine.pop()
    owner = machine.stack[-1]
    if isinstance(owner, Made):
        owner.states.append(state)
        return
    # What a BUILD does to a class or a list is not for a record to guess: it is shown as an object of its own.
    machine.stack[-1] = made = Made("changed", owner, None)
    made.states.append(state)


def _dup(machine: _Machine, _: Step) -> None:
    machine.stack.append(machine.stack[-1])


def _protocol(machine: _Machine, found: Step) -> None:
    machine.protocol = machine.number(found)


_ACTS: Final[dict[str, Callable[[_Machine, Step], None]]] = {
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
    **dict.fromkeys(("APPEND", "APPENDS", "ADDITEMS"), _append),
    **dict.fromkeys(("SETITEM", "SETITEMS"), _set),
    "BUILD": _build,
    "DUP": _dup,
    "PROTO": _protocol,
    "FRAME": lambda _machine, _found: None,
    "MARK": lambda machine, _found: machine.stack.append(_MARK),
    # Which takes a mark as well.
    "POP": lambda machine, _found: machine.stack.__delitem__(-1),
    "POP_MARK": lambda machine, _found: machine.to_mark().clear(),
}


def _text(machine: _Machine, found: Step, _: list[Any]) -> Leaf:
    value = string(machine.data, found)
    if value is not None:
        return Leaf(literals.text(value), value)
    return Leaf(literals.octets(machine.raw(found), "Python 2's "))


def _bytes(prefix: str) -> "Callable[[_Machine, Step, list[Any]], Leaf]":
    def make(machine: _Machine, found: Step, _: list[Any]) -> Leaf:
        return Leaf(literals.octets(machine.raw(found), prefix))

    return make


def _integer(machine: _Machine, found: Step, _: list[Any]) -> Leaf:
    name, raw = found.opcode.name, machine.raw(found)
    if name == "INT" and raw in {b"00", b"01"}:
        return Leaf(str(raw == b"01"))
    if name in {"INT", "LONG"}:
        digits = raw.strip().rstrip(b"L").replace(b"_", b"")
        if len(digits) > 1000:  # no Python makes a number of them quickly, and some refuse to
            return Leaf(f"integer of {len(digits)} digits (sha256 {literals.digest(digits)})")
        return Leaf(literals.integer(int(digits)))
    return Leaf(literals.integer(machine.number(found, signed=name in {"BININT", "LONG1", "LONG4"})))


def _float(machine: _Machine, found: Step, _: list[Any]) -> Leaf:
    raw = machine.raw(found)
    return Leaf(literals.floating(unpack(">d", raw)[0] if found.opcode.name == "BINFLOAT" else float(raw)))


def _global(machine: _Machine, found: Step, taken: list[Any]) -> Any:
    if found.opcode.name == "STACK_GLOBAL":
        texts = [value.text if isinstance(value, Leaf) else None for value in taken]
        machine.named.update(value.at for value in taken if isinstance(value, Leaf) and value.at is not None)
        module, name = texts
        if module is None or name is None:
            return machine.refer(Reference(None))
    else:
        module, name = names(machine.data, found)
    reference = machine.refer(Reference(":".join(loaded(module, name, machine.protocol))))
    return Made("object", reference, Box("tuple", taken)) if found.opcode.name == "INST" else reference


def _code(machine: _Machine, found: Step, _: list[Any]) -> Reference:
    return machine.refer(Reference(None, machine.number(found, signed=found.opcode.name == "EXT4")))


def _reduce(_: _Machine, __: Step, taken: list[Any]) -> Made:
    maker, args = taken
    if isinstance(maker, Reference) and maker.target in _RECONSTRUCTORS and isinstance(args, Box):
        # How protocols 0 and 1 make an object of a class: the class, a builtin base, and what that is made of.
        cls, _base, value = args.items
        plain = isinstance(value, Leaf) and value.shown == "None"
        return Made("object", cls, Box("tuple", [] if plain else [value]))
    return Made("call", maker, args)


def _box(kind: str) -> "Callable[[_Machine, Step, list[Any]], Box]":
    return lambda _machine, _found, taken: Box(kind, taken)


def _leaf(shown: str) -> "Callable[[_Machine, Step, list[Any]], Leaf]":
    return lambda _machine, _found, _taken: Leaf(shown)


# What an opcode pushes, made of what it takes off the stack.
_MAKERS: Final[dict[str, Callable[[_Machine, Step, list[Any]], Any]]] = {
    "NONE": _leaf("None"),
    "NEWTRUE": _leaf("True"),
    "NEWFALSE": _leaf("False"),
    "NEXT_BUFFER": _leaf("a buffer that is kept elsewhere"),
    "READONLY_BUFFER": lambda _machine, _found, taken: taken[0],
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"), _integer),
    **dict.fromkeys(("FLOAT", "BINFLOAT"), _float),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"), _bytes("b")),
    "BYTEARRAY8": _bytes("bytearray "),
    **dict.fromkeys(
        ("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), _text
    ),
    **dict.fromkeys(("EMPTY_LIST", "LIST"), _box("list")),
    **dict.fromkeys(("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"), _box("tuple")),
    **dict.fromkeys(("EMPTY_DICT", "DICT"), _box("dict")),
    "EMPTY_SET": _box("set"),
    "FROZENSET": _box("frozenset"),
    **dict.fromkeys(("GLOBAL", "INST", "STACK_GLOBAL"), _global),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), _code),
    "REDUCE": _reduce,
    "NEWOBJ": lambda _machine, _found, taken: Made("object", *taken),
    "NEWOBJ_EX": lambda _machine, _found, taken: Made("object", *taken),
    "OBJ": lambda _machine, _found, taken: Made("object", taken[0], Box("tuple", taken[1:])),
    "PERSID": lambda machine, found, _taken: Made("persistent", None, _text_of(machine, found)),
    "BINPERSID": lambda _machine, _found, taken: Made("persistent", None, taken[0]),
}


def _text_of(machine: _Machine, found: Step) -> Leaf:
    value = machine.raw(found).decode("utf-8", "replace")
    return Leaf(literals.text(value), value)


class _SymbolLooks(Looks):
    """Looks at symbols; `targets` are those of codes."""

    def __init__(self, targets: Mapping[int, str]) -> None:
        super().__init__()
        self._targets = targets

    def see(self, value: Any) -> Look:
        """Return what is seen of a symbol."""
        if isinstance(value, Leaf):
            return Look(value.shown)
        if isinstance(value, Reference):
            return Look(f"global {self._named(value)}")
        return self._box(value) if isinstance(value, Box) else self._made(value)

    def _named(self, value: Any) -> str:
        if not isinstance(value, Reference):
            return "something made"
        if value.code is not None:
            target = self._targets.get(value.code)
            return f"code {value.code}" if target is None else f"{literals.target(target)} (code {value.code})"
        return literals.target(value.target) if value.target is not None else "a name that only an execution tells"

    def _box(self, box: Box) -> Look:
        kind, items = box.kind, box.items
        if kind == "dict":
            return Look(f"dict ({len(items) // 2})", self._pairs(items), True)
        if kind in {"set", "frozenset"}:
            return Look(f"{kind} ({len(items)})", self.sorted(items), kind == "set" or bool(items))
        return Look(f"{kind} ({len(items)})", _items(items), kind == "list" or bool(items))

    def _pairs(self, items: list[Any]) -> list[Part]:
        return [(f"[{self.key(key)}]", value) for key, value in zip(items[::2], items[1::2], strict=True)]

    def _made(self, made: Made) -> Look:
        if made.how == "persistent":
            return Look("persistent id", [("(id)", made.args)])
        parts: list[Part] = []
        if not isinstance(made.maker, Reference):
            parts.append(("(made by)", made.maker))
        if isinstance(made.args, Box) and made.args.kind == "tuple":
            parts += [(f"({number})", value) for number, value in enumerate(made.args.items)]
        elif made.args is not None:
            parts.append(("(arguments)", made.args))
        if isinstance(made.kwargs, Box):
            parts += [(f"({self._word(key)}=)", value) for key, value in paired(made.kwargs.items)]
        for state in made.states:
            parts += self._state(state)
        parts += _items(made.items)
        parts += self._pairs(made.pairs)
        named = self._named(made.maker)
        return Look(named if made.how == "object" else f"{made.how} {named}", parts, True)

    def _state(self, state: Any) -> list[Part]:
        pairs = attributes_in(state)
        return [("(state)", state)] if pairs is None else [(f".{self._word(key)}", value) for key, value in pairs]

    def _word(self, key: Any) -> str:
        return literals.name(key.text) if isinstance(key, Leaf) and key.text is not None else f"[{self.key(key)}]"


def attributes_in(state: Any) -> list[tuple[Any, Any]] | None:
    """Return the names and values in a state that pickle takes for attributes by itself; None of any other state."""
    halves = state.items if isinstance(state, Box) and state.kind == "tuple" and len(state.items) == 2 else [state]
    if not all(_is_attributes(half) or (len(halves) == 2 and is_none(half)) for half in halves):
        return None
    return [pair for half in halves if isinstance(half, Box) for pair in paired(half.items)]


def is_none(symbol: Any) -> bool:
    """Tell whether a symbol is None."""
    return isinstance(symbol, Leaf) and symbol.shown == "None"


def _is_attributes(symbol: Any) -> bool:
    """Tell whether a symbol is a dictionary whose keys are all strings."""
    if not isinstance(symbol, Box) or symbol.kind != "dict":
        return False
    return all(isinstance(key, Leaf) and key.text is not None for key in symbol.items[::2])


def _items(values: list[Any]) -> list[Part]:
    return [(f"[{number}]", value) for number, value in enumerate(values)]


def paired(items: list[Any]) -> list[tuple[Any, Any]]:
    """Return the keys and values that stand one behind the other."""
    return list(zip(items[::2], items[1::2], strict=True))
