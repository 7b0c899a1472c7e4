"""Rules on what pickles hold besides names: the state of the classes that have a code, read from both sources."""

from collections.abc import Iterator

from extreg.linter.context import Context, StateChange
from extreg.linter.finding import Finding


def slots_gained(context: Context) -> Iterator[Finding]:
    """A class whose instances had a `__dict__` has slots alone now, and no `__setstate__`. Found by `--against` only.

    The sources of both sides are read, nothing is imported; what only running them would tell is not reported. A frozen
    dataclass that gets `slots=True` is found too: it takes the old dict for a list of values.

    Why it matters: the state in old pickles is a dict, and there is none to put it into. Every old pickle fails, with
    `AttributeError: ... has no attribute '__dict__'`; a frozen dataclass loads with *names* of fields for its values.
    (PyPy loads them without their attributes.) With `--rolling`, the same is told of old readers and new pickles.

    How to fix it: `@versioned(2, {1: lambda state: state})` of `extreg.reduce` sets the old attributes one by one; a
    `__setstate__` of the class's own can do it as well. Or leave the slots out.
    """
    yield from _found(context, "slots-gained")


def field_gained(context: Context) -> Iterator[Finding]:
    """Every new instance has an attribute that no old one had, and nothing gives it to what is loaded: no value in the
    class, no `__getattr__`, no `__setstate__` that names it, and nowhere is it asked for with care (`hasattr`,
    `getattr` with a default). Found by `--against` only.

    pickle does not call `__init__`. An attribute counts that `__init__` sets on every path, or a field of a dataclass
    or of attrs; one with a `default_factory`, and any of attrs, leaves no value in the class. A private attribute that
    no method reads is a note, which fails nothing.

    Why it matters: an old pickle loads without a word, and breaks later and elsewhere, when a method reads what is not
    there.

    How to fix it: a default in the class, which is all that most fields need and which old readers never see; or
    `@versioned`, whose migration gives the state what it lacks.
    """
    yield from _found(context, "field-gained")


def enum_changed(context: Context) -> Iterator[Finding]:
    """A value of an Enum is no member's any more, or another member's; `auto()` is counted by position. Found
    by `--against` only.

    A member that has a new name and its old value is fine. What an own `__new__`, `_missing_` or
    `_generate_next_value_` makes of values is not guessed.

    Why it matters: an Enum is pickled by value. An old pickle fails with `ValueError`, or means another member, which
    nothing tells of.

    How to fix it: keep the value, for an alias if need be, or let `_missing_` say which member it is now. Write values
    out where `auto()` counted them.
    """
    yield from _found(context, "enum-changed")


def arguments_changed(context: Context) -> Iterator[Finding]:
    """A call in old pickles is refused by what it calls today, or gives values to other names: of a named tuple, of
    `__new__` (with what `__getnewargs__` returns), of a class or function in `__reduce__`, of a function with a code.
    Found by `--against` only.

    Counted are arguments by position where both signatures and the number of arguments can be read. The list of values
    that a frozen dataclass with slots has for a state is compared as well.

    Why it matters: the arguments are in the pickle, and the call fails with `TypeError`, or swaps values in silence.

    How to fix it: give what is new a default and the last place, and keep what there was at its place.
    """
    yield from _found(context, "arguments-changed")


def base_changed(context: Context) -> Iterator[Finding]:
    """A class gained or lost the base that decides how it is pickled: a built-in type, a named tuple, an Enum; or it
    became abstract; or plain slots, those of attrs and those of frozen dataclasses were exchanged. Found by `--against`
    only.

    Why it matters: the pickle has what the old base needed (items, arguments, a tuple of slots) and the new one cannot
    take it, or takes it for something else.

    How to fix it: keep the base; or give the new class a name and a code of its own, and leave the old one to the old
    pickles.
    """
    yield from _found(context, "base-changed")


def slot_lost(context: Context) -> Iterator[Finding]:
    """A class without a `__dict__` lost a slot that its old pickles set. Found by `--against` only.

    Why it matters: there is nowhere to put the old value, and every old pickle fails with `AttributeError: ... has no
    attribute`. A lost attribute of a class with a `__dict__` is harmless: it is set as it ever was.

    How to fix it: keep the slot, or drop the value in a migration of `@versioned` or in a `__setstate__`.
    """
    yield from _found(context, "slot-lost")


def version_lowered(context: Context) -> Iterator[Finding]:
    """The version of a class in `@versioned` is lower than it was, or the decorator is gone. Found by `--against` only.

    Why it matters: a pickle of the higher version raises `StateVersionError`; without the decorator, `TypeError`.

    How to fix it: put the version back. To get rid of a state, migrate onward: a higher version whose migration makes
    the old state of it.
    """
    yield from _found(context, "version-lowered")


def missing_migration(context: Context) -> Iterator[Finding]:
    """The state of a class with `@versioned` changed, and no migration says how the old one becomes the new one: the
    version stayed, the migrations do not mention what is new, or the one that old pickles begin with is gone. Found by
    `--against` only.

    Why it matters: the old state goes to the new class as it is, or is refused with `StateVersionError`.

    How to fix it: raise the version, and write the migration from the one before.
    """
    yield from _found(context, "missing-migration")


def pickling_changed(context: Context) -> Iterator[Finding]:
    """A method that says how the class is pickled came, went or changed: `__reduce__`, `__reduce_ex__`, `__getstate__`,
    `__setstate__`, `__getnewargs__`. Found by `--against` only.

    This rule is off until it is selected (`extend-select = ["pickling-changed"]` in `[tool.extreg.lint]`, or `extreg
    lint --extend-select pickling-changed`): three in four of such changes are made by somebody who thought of the old
    pickles.

    Why it matters: the rest did not, and the methods of one side get what those of the other wrote.

    How to fix it: load a pickle that the old class wrote, and look at what becomes of it.
    """
    yield from _found(context, "pickling-changed")


def unstaged_version(context: Context) -> Iterator[Finding]:
    """A class writes a version of its state that the readers of the base do not know: `@versioned` is new, or its
    version was raised, without `write=`. Found by `--against` with `--rolling` only.

    Why it matters: while a release is rolled out, the old and the new version run side by side. Old readers refuse the
    new version with `StateVersionError`, and those without the decorator fail with a `TypeError`.

    How to fix it: give `@versioned` the version that they read as `write=`, and in `reverse=` the way back to it; leave
    both out in the release after that.
    """
    yield from _found(context, "unstaged-version")


def _found(context: Context, rule: str) -> Iterator[Finding]:
    for state in context.states or ():
        if state.change.rule == rule:
            yield Finding(
                rule=rule,
                path=state.path,
                line=state.line,
                message=_message(state),
                hint=_hint(state),
                level="note" if state.change.note else "error",
            )


def _message(state: StateChange) -> str:
    change = state.change
    sides = (change.wrote, change.reads)
    if state.back:
        told = f"{sides[0]} now, {sides[1]} in {state.then}"
        pickle, there = "a new pickle", f" in {state.then}"
    else:
        told = f"{sides[0]} in {state.then}, {sides[1]} now"
        pickle, there = "an old pickle", ""
    gone = f" (gone: {change.gone})" if change.gone and not state.back else ""
    if change.when == "load":
        effect = f"loading {pickle}{there} raises {change.effect}"
    elif change.when == "used":
        effect = f"{pickle} loads{there} without it, and reading it raises {change.effect}"
    else:
        effect = f"{pickle}{there} {change.effect}"
    return f"{state.who}: {told}{gone}: {effect}"


def _hint(state: StateChange) -> str:
    if state.change.rule == "unstaged-version":
        return f"{state.change.edits[0]}, until no reader of {state.then} is left"
    if state.back:
        return f"keep dumping what {state.then} reads until no reader of it is left, and release this after that"
    prove = "or prove it with an old pickle: extreg jar add FILE"
    return "; ".join([*(f"or {edit}" if place else edit for place, edit in enumerate(state.change.edits)), prove])
