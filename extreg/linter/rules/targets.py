"""Rules on what the targets lead to, by the project's sources or by importing them."""

from collections.abc import Iterator

from extreg.linter.context import LOADED, Context
from extreg.linter.finding import Finding
from extreg.registry.dangerous import danger
from extreg.registry.document import Row
from extreg.targets.calls import Call
from extreg.targets.lookup import Answer


def missing_target(context: Context) -> Iterator[Finding]:
    """A target leads nowhere: there is no such module, or no such name in it. Its reducers count as targets.

    The sources are looked at, nothing is imported. What only running them could tell is never reported; `--import`
    does run them.

    Why it matters: pickles that hold the code cannot be loaded any more.

    How to fix it: if the class moved, `extreg move` the code to where it is now. If it is gone for good and no pickle
    of it is left, `extreg retire` the code.
    """
    for row, answer in _rows(context, "missing"):
        yield context.found("missing-target", row, f"code {row.code} ({row.target}): {answer.detail}", answer.hint)
    for kind, function in context.document.tables.reducers.items():
        for target in (kind, function):
            reached = _answer(context, target)
            if reached is not None and reached.kind == "missing":
                line = context.document.line("reducers", kind)
                message = f"reducers: {target}: {reached.detail}"
                hint = "mend the name, or delete the line"
                yield Finding(rule="missing-target", path=context.document.path, line=line, message=message, hint=hint)


def reexported_target(context: Context) -> Iterator[Finding]:
    """A target is a re-export: the object is defined elsewhere, and pickle knows it by the name it has there.

    Where the true name is an alias of the code (`[aliases]`), nothing is found: the code is dumped for that name too.

    Why it matters: pickle looks up an object's own `__module__` and `__qualname__` and nothing else, so that the code
    is never dumped.

    How to fix it: `extreg move` the code to the true target, or let `extreg lint --import --fix` do it. Without
    `--import` nothing is moved: only an import confirms what an object calls itself. Where the object has the true name
    under this Python or this version of its library only, `extreg alias` records it.
    """
    aliases = context.document.tables.aliases
    for row, answer in _rows(context, "reexported"):
        if answer.target in aliases.get(row.code, ()):
            continue
        message = f"code {row.code} ({row.target}) is really {answer.target}, which is what pickle looks up"
        yield context.found("reexported-target", row, message, _move_hint(context, row, answer.target))


def unimportable_target(context: Context) -> Iterator[Finding]:
    """Importing the module of a target fails, hangs, or ends the process. Found by `--import` only.

    Why it matters: loading the code fails in the same way.

    How to fix it: import the module by hand to see the whole error; where something is merely not installed here, run
    lint where it is.
    """
    for row, answer in _rows(context, "unimportable"):
        message = f"code {row.code} ({row.target}): {answer.detail}"
        module = row.target.partition(":")[0]
        yield context.found("unimportable-target", row, message, f'python -c "import {module}" shows the error')


def unpicklable_target(context: Context) -> Iterator[Finding]:
    """A target leads to an object that pickle refuses to dump or load as a global. Found by `--import` only.

    Why it matters: the code is never dumped, or what is dumped cannot be loaded.

    How to fix it: mend what the message names; usually `__module__` or `__qualname__` of the object are wrong, or the
    target is an instance where its class is meant.
    """
    for row, answer in _rows(context, "unpicklable"):
        message = f"code {row.code} ({row.target}): {answer.detail}"
        hint = "set its __module__ and __qualname__ right, or register its class instead"
        yield context.found("unpicklable-target", row, message, hint)


def unregistered_call(context: Context) -> Iterator[Finding]:
    """Code calls `copyreg.add_extension` for a code that the registry does not hold.

    Calls in the Python files of the project whose arguments are constants are looked at: literals, sums of them, names
    that are bound once, `__name__`. With `--installed` those in all installed
    distributions are too, and reported when their code or target is one of ours.

    Why it matters: such a code is on no record, so that somebody will give it out again; and where it meets one of
    ours, `extreg.install()` refuses when the program starts.

    How to fix it: `extreg add --code N` the target and delete the call. In an installed distribution, choose another
    code while no pickles are stored, or set `EXTREG_ON_CONFLICT`.
    """
    for call in context.calls or ():
        held = _held(context, call)
        if held is None:
            hint = "delete the call" if danger(call.target) else _adopt(call)
            yield _about(call, f"add_extension gives {call.target} the code {call.code}, which is not registered", hint)
        elif held:
            yield _about(call, held, f"delete the call; extreg show {call.code}")
    for call in context.installed:
        held = _held(context, call)
        if held:
            yield _about(call, held, "choose another code while no pickles are stored, or set EXTREG_ON_CONFLICT")


def _adopt(call: Call) -> str:
    return f"extreg add {call.target} --code {call.code}, and delete the call"


def _about(call: Call, message: str, hint: str) -> Finding:
    return Finding(rule="unregistered-call", path=call.path, line=call.line, message=message, hint=hint)


def _held(context: Context, call: Call) -> str | None:
    """Say against which row a call goes: an empty string for none because it says the same, None for no row at all."""
    for document in context.documents:
        tables = document.tables
        for table, rows in tables.code_tables.items():
            if call.code in rows:
                if rows[call.code] == call.target and table == "codes":
                    return ""
                row = f"{call.code} = {rows[call.code]} [{table}]"
                return f"add_extension gives {call.target} the code {call.code}, but {document.path} has {row}"
        for code, target in tables.codes.items():
            if target == call.target:
                what = f"add_extension gives {call.target} the code {call.code}"
                return f"{what}, but {document.path} has {code} = {target} [codes]"
    return None


def _move_hint(context: Context, row: Row, target: str) -> str:
    codes = context.document.tables.codes
    other = next((code for code, found in codes.items() if found == target), None)
    if other is None or row.table != "codes":
        return f"extreg move {row.code} {target}"
    return f"{target} has code {other} already: extreg demote {row.code}"


def _answer(context: Context, target: str) -> Answer | None:
    """Return what is known of a target; an import knows better than the source."""
    for answers in (context.imported, context.answers):
        if answers is not None and target in answers:
            return answers[target]
    return None


def _rows(context: Context, kind: str) -> Iterator[tuple[Row, Answer]]:
    """Yield the rows whose target is of `kind`, and the answer."""
    if context.answers is None and context.imported is None:
        return
    for table in LOADED:
        for code, target in context.document.tables.code_tables[table].items():
            answer = _answer(context, target)
            if answer is not None and answer.kind == kind:
                yield context.document.row(table, code), answer
