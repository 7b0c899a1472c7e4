"""Codes to names, in one pickle."""

from extreg.pickles.rewriting.plan import VARYING, Meaning, Pickle, Plan
from extreg.pickles.rewriting.recall import GET_WIDTHS, Place, recalled
from extreg.pickles.walking.names import dumped, loaded
from extreg.pickles.walking.opcodes import EXTENSION_WIDTHS
from extreg.registry.model import Registry
from extreg.registry.target import split


def expanded(pickle: Pickle, registry: Registry, *, alone: bool = True) -> Plan:
    """Plan to put names in the place of the codes that `registry` knows, be they live, load-only or retired.

    Where the memo is the `pickle`'s alone, a name that several codes stand for is memoized and fetched.
    """
    plan = Plan()
    if pickle.protocol == VARYING:
        plan.leave("a protocol that changes on the way", len(pickle.references))
        return plan
    known: dict[int, tuple[bytes, list[Meaning]] | str] = {}
    # What each reference means, and which are to be exchanged.
    meant: list[list[Meaning]] = []
    places: list[Place] = []
    for kind, offset, opcode, module, name, number, _ in pickle.references:
        meant.append([(module, name, number)])
        if kind != "code" or number is None:
            continue
        named = known.get(number)
        if named is None:
            target = registry.target(number) or registry.retired.get(number)
            named = known[number] = named_by(target, pickle.protocol) if target is not None else "unknown code"
        if isinstance(named, str):
            plan.leave(named)
            continue
        new, meant[-1] = named
        places.append(Place(offset, offset + EXTENSION_WIDTHS[opcode], number, len(meant) - 1))
        plan.edits.append((offset, places[-1].end, new))
    if alone and len({place.code for place in places}) < len(places):
        for nth, opcodes in recalled(plan, pickle, places).items():
            start, end, new = plan.edits[nth]
            if opcodes[0] in GET_WIDTHS:
                new = b""
                meant[places[nth].reference] = []
            plan.edits[nth] = start, end, new + opcodes
    plan.meanings = [meaning for meanings in meant for meaning in meanings]
    return plan


def named_by(target: str, protocol: int) -> tuple[bytes, list[Meaning]] | str:
    """Return opcodes that push what `target` names, with the references in them, or why there are none."""
    module, qualname = split(target)
    if protocol >= 4:
        return _text(module) + _text(qualname) + b"\x93", [(module, qualname, None)]
    outer, *inner = qualname.split(".")
    if loaded(module, outer, protocol) != (module, outer):
        # The code means one thing to whoever dumped it and another to whoever loads it.
        return "Python 2 had another global of that name"
    first = _global(module, outer, protocol)
    getter = _global("builtins", "getattr", protocol)
    if first is None or getter is None:
        return "no Python 2 name leads there"
    # Below protocol 4 pickle itself writes getattr(Outer, "Inner"); here each step is: getattr, what is there, the
    # name, TUPLE2, REDUCE.
    new = getter[0] * len(inner) + first[0] + b"".join(_long_text(name) + b"\x86R" for name in inner)
    return new, [getter[1]] * len(inner) + [first[1]]


def _global(module: str, name: str, protocol: int) -> tuple[bytes, Meaning] | None:
    spelled = dumped(module, name, protocol)
    if spelled is None:
        return None
    return b"c%s\n%s\n" % (spelled[0].encode(), spelled[1].encode()), (*spelled, None)


def _text(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    return b"\x8c%c%s" % (len(raw), raw) if len(raw) < 256 else _long_text(text)


def _long_text(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    return b"X" + len(raw).to_bytes(4, "little") + raw
