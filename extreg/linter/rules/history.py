"""Rules on what the registry promised before: in a base to compare with, or in every version of the file."""

from collections.abc import Iterator
from itertools import chain

from extreg.linter.context import Context, Past
from extreg.linter.finding import Finding
from extreg.registry.document import CodeTable, Row
from extreg.registry.toml.schema import Tables


def reassigned_code(context: Context) -> Iterator[Finding]:
    """A code means something else than it did, and `[moved]` does not say that its class moved.

    Compared with `--against`; with `--history`, with every version of the file.

    Why it matters: stored pickles that hold the code load the wrong class, without any error.

    How to fix it: put the old target back and `extreg add` the new one. If the class really moved, put the old target
    back and `extreg move` the code.
    """
    for past, table, code, former in _past_rows(context):
        row = _row_now(context, code)
        if row is None or row.target == former or former in context.document.tables.moved.get(code, ()):
            continue
        if table == "retired" and row.table != "retired":  # revived-code says it
            continue
        message = f"code {code} means {row.target}, but meant {former} in {past.name}"
        hint = f"put {former} back; if the class moved, then extreg move {code} {row.target}; else extreg add it anew"
        yield context.found("reassigned-code", row, message, hint)


def deleted_code(context: Context) -> Iterator[Finding]:
    """A live or load-only code is gone.

    Compared with `--against`; with `--history`, with every version of the file.

    Why it matters: pickles that hold it do not load, and nothing keeps the number from being given out again.

    How to fix it: put the line back, or `extreg demote` and then `extreg retire` the code, which leaves its line in
    `[retired]`. `extreg lint --fix --against` brings it back as load-only, so that what was published still loads.
    """
    for past, table, code, target in _past_rows(context):
        if table != "retired" and _row_now(context, code) is None:
            message = f"code {code} ({target}) was [{table}] in {past.name} and is gone"
            yield _about_file(
                context, "deleted-code", message, f'put {code} = "{target}" back, in [load-only] at least'
            )


def deleted_retired(context: Context) -> Iterator[Finding]:
    """A line of `[retired]` is gone.

    Compared with `--against`; with `--history`, with every version of the file.

    Why it matters: the line is all that keeps the number from being given out again, and pickles may still hold it.

    How to fix it: put the line back; `extreg lint --fix --against` does.
    """
    for past, table, code, target in _past_rows(context):
        if table == "retired" and _row_now(context, code) is None:
            message = f"code {code} ({target}) was retired in {past.name}, and the line is gone"
            yield _about_file(context, "deleted-retired", message, f'put {code} = "{target}" back in [retired]')


def revived_code(context: Context) -> Iterator[Finding]:
    """A retired code is in use again.

    Compared with `--against`; with `--history`, with every version of the file.

    Why it matters: a retired number is spent for ever. Readers that were released meanwhile refuse it, and pickles from
    before its retirement may be of another shape.

    How to fix it: put the line back in `[retired]`, and `extreg add` the target, which allocates a new code.
    """
    for past, table, code, target in _past_rows(context):
        row = _row_now(context, code)
        if table == "retired" and row is not None and row.table != "retired":
            message = f"code {code} ({row.target}) is [{row.table}], but was retired in {past.name} (it meant {target})"
            hint = f'put {code} = "{target}" back in [retired], then extreg add {row.target}'
            yield context.found("revived-code", row, message, hint)


def forgotten_move(context: Context) -> Iterator[Finding]:
    """`[moved]` lost a former target that it had.

    Compared with `--against`; with `--history`, with every version of the file.

    Why it matters: `[moved]` is the record of where a class was, by which a changed target is told from a code that was
    given to another class.

    How to fix it: put the former target back, oldest first.
    """
    now = context.document.tables
    for past in _pasts(context):
        for code, former in past.document.tables.moved.items():
            known = now.moved.get(code, ())
            lost = [target for target in former if target not in known and target != _target_now(now, code)]
            if lost and _row_now(context, code) is not None:
                message = f"code {code}: [moved] had {', '.join(lost)} in {past.name} and has not now"
                line = context.document.line("moved", code) or context.document.line("moved")
                every = ", ".join(map(repr, dict.fromkeys((*former, *known))))
                hint = f"write {code} = [{every}] in [moved]"
                yield Finding(rule="forgotten-move", path=context.document.path, line=line, message=message, hint=hint)


def unstaged_code(context: Context) -> Iterator[Finding]:
    """A code took two steps of its life at once: it went live without having been load-only in the base, or from live
    to retired. Found by `--against` with `--rolling` only.

    Why it matters: while a release is rolled out, the old and the new version run side by side. The old readers do not
    know a code that new writers already dump; the new ones refuse a code that old writers still dump.

    How to fix it: `extreg demote` the code now, and `extreg promote` or `extreg retire` it in the next release.
    """
    if context.base is None or not context.rolling:
        return
    then, now = context.base.document.tables, context.document.tables
    for code in now.codes.keys() - then.codes.keys() - then.load_only.keys() - then.retired.keys():
        row = context.document.row("codes", code)
        message = (
            f"code {code} ({row.target}) is live, but {context.base.name} does not know it: old readers fail on it"
        )
        yield context.found("unstaged-code", row, message, f"extreg demote {code}, and promote it in the next release")
    for code in now.retired.keys() & then.codes.keys():
        row = context.document.row("retired", code)
        message = f"code {code} ({row.target}) is retired, but live in {context.base.name}: old writers still dump it"
        hint = "put its line in [load-only], and retire it in the next release"
        yield context.found("unstaged-code", row, message, hint)


def _pasts(context: Context) -> Iterator[Past]:
    """Yield the versions to compare with, the newest first."""
    return chain([context.base] if context.base is not None else [], reversed(context.history or ()))


def _past_rows(context: Context) -> Iterator[tuple[Past, CodeTable, int, str]]:
    """Yield each meaning that a code had, once, with the newest version that had it."""
    now = context.document.tables.code_tables
    seen: set[tuple[str, int, str]] = set()
    for past in _pasts(context):
        for table, rows in past.document.tables.code_tables.items():
            for code, target in rows.items() - now[table].items():  # what did not change breaks nothing
                state = "retired" if table == "retired" else "loaded"
                if (state, code, target) not in seen:
                    seen.add((state, code, target))
                    yield past, table, code, target  # type: ignore[misc]  # the names of tables are a Literal


def _row_now(context: Context, code: int) -> Row | None:
    for table, rows in context.document.tables.code_tables.items():
        if code in rows:
            return context.document.row(table, code)  # type: ignore[arg-type]
    return None


def _target_now(tables: Tables, code: int) -> str | None:
    return next((rows[code] for rows in tables.code_tables.values() if code in rows), None)


def _about_file(context: Context, rule: str, message: str, hint: str) -> Finding:
    return Finding(rule=rule, path=context.document.path, line=None, message=message, hint=hint)
