"""Former names to those of today, in one pickle."""

from collections.abc import Collection

from extreg.pickles.rewriting.expand import named_by
from extreg.pickles.rewriting.plan import VARYING, Meaning, Pickle, Plan
from extreg.pickles.walking.names import loaded
from extreg.registry.model import Registry
from extreg.registry.renames import ExactNames, Names

_POP_BOTH = b"00"


def without_live_code(registry: Registry) -> frozenset[str]:
    """Return what load-only codes mean and no live one does: names are written for it, those of today."""
    return frozenset(registry.load_only.values()).difference(registry.codes.values())


def healed(pickle: Pickle, registry: Registry, *, renamed: bool = False, only: Collection[str] | None = None) -> Plan:
    """Plan to put names of today, or `only` those of them, in the place of former and other ones.

    What whole renamed modules make of them only with `renamed`: where the library that renamed a module is older,
    nobody could load that.  Operands of a STACK_GLOBAL stay where they are, as the memo may be asked for them, and are
    popped.
    """
    plan = Plan()
    names = registry.derived(Names if renamed else ExactNames)
    if pickle.protocol == VARYING or not (names.steps or names.renamed):
        return plan
    meant: list[list[Meaning]] = []
    for _, offset, opcode, module, name, number, begin in pickle.references:
        meant.append([(module, name, number)])
        if module is None or name is None:
            continue
        spelled = ":".join(loaded(module, name, pickle.protocol))
        today = names.today(spelled)
        if today == spelled or (only is not None and today not in only):
            continue
        new = named_by(today, pickle.protocol)
        if isinstance(new, str):
            plan.leave(new)
            continue
        if opcode == "GLOBAL":
            plan.edits.append((offset, offset + 3 + len(module.encode()) + len(name.encode()), new[0]))
        elif opcode == "STACK_GLOBAL":
            start = offset if begin is None else begin
            plan.edits.append((start, offset + 1, bytes(pickle.data[start:offset]) + _POP_BOTH + new[0]))
        else:
            plan.leave("a former name in an INST")
            continue
        meant[-1] = new[1]
    plan.meanings = [meaning for meanings in meant for meaning in meanings]
    return plan
