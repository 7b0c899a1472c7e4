"""Rules on the registry file and the files it includes, from their text alone."""

from collections.abc import Iterator
from functools import cache, partial
from itertools import pairwise

from extreg.linter.context import Context
from extreg.linter.finding import Finding
from extreg.registry.document import CodeTable, Document, Row
from extreg.registry.ranges import LAST_RESERVED, range_of_code, range_of_module, uncovered
from extreg.registry.target import split

CODE_TABLES: tuple[CodeTable, ...] = ("codes", "load-only", "retired")


def malformed(context: Context) -> Iterator[Finding]:
    """The file breaks the format: it is not TOML, or has unknown keys, wrong types or targets that are none.

    Why it matters: `extreg.install()` refuses the whole file, so the program does not start.

    How to fix it: the message says what was found and what was expected; the format is described in docs/format.md.
    """
    yield from context.problems("malformed", "bad-target", "newer-format", "duplicate-table", "deleted-code")


def conflict_markers(context: Context) -> Iterator[Finding]:
    """The file holds git's conflict markers, or git's index has it unmerged without any.

    Why it matters: nobody decided yet which side is right, and a code may mean two things. Without markers, as after a
    merge whose driver could not run, the rows of one side are missing, and `git add` would lose them.

    How to fix it: `extreg resolve` merges the two sides by meaning. By hand: keep the rows of both sides, give the side
    that is not published yet new codes where two rows share one, and delete the marker lines.
    """
    marked = list(context.problems("conflict-markers"))
    yield from marked
    if context.unmerged and not marked:
        message = "git's index has it unmerged, and it shows no conflict: the rows of one side may be missing"
        hint = "extreg resolve merges what the index holds; where it is resolved by hand, git add it"
        path = context.document.path
        yield Finding(rule="conflict-markers", path=path, line=None, message=message, hint=hint)


def duplicate_code(context: Context) -> Iterator[Finding]:
    """A code is assigned twice: within a table, in two tables, or by two files that are installed together.

    Why it matters: the code then loads old data into the wrong class, without any error.

    How to fix it: delete the line that was added last and `extreg add` its target again. Across packages, the side
    whose pickles are not stored anywhere yet deletes its line and takes a code that neither has: `extreg add --code N`.
    (Retiring it would not do: a retired code is spent, and may mean nothing else elsewhere.)
    """
    yield from context.problems("duplicate-code")
    if not context.included:  # within one file reading it has found them all
        return
    first_seen: dict[int, tuple[Document, Row]] = {}
    for document in context.documents:
        for row in document.rows:
            other, first = first_seen.setdefault(row.code, (document, row))
            if other is not document and first.target != row.target:
                hint = "where no pickle is stored yet, delete the line and extreg add --code N TARGET, N free in both"
                yield _clash("duplicate-code", f"code {row.code}", (document, row), (other, first), hint)


def duplicate_target(context: Context) -> Iterator[Finding]:
    """A target has two live codes, in one file or in two that are installed together.

    Why it matters: copyreg holds one code per target, so `extreg.install()` refuses.

    How to fix it: `extreg demote` one of the two codes. Both go on loading.
    """
    yield from context.problems("duplicate-target")
    if not context.included:
        return
    first_seen: dict[str, tuple[Document, Row]] = {}
    for document in context.documents:
        for row in document.rows:
            if row.table != "codes":
                continue
            other, first = first_seen.setdefault(row.target, (document, row))
            if other is not document and first.code != row.code:
                hint = f"extreg demote {first.code}, or {row.code} in the other file"
                yield _clash("duplicate-target", f"target {row.target}", (document, row), (other, first), hint)


def overlapping_ranges(context: Context) -> Iterator[Finding]:
    """Two ranges overlap in part, or are the same span.

    Why it matters: it is undecided whose the shared codes are, so two people can be given the same one.

    How to fix it: move one of them, or put one wholly inside the other, which then owns its codes.
    """
    yield from context.problems("overlapping-ranges")


def outside_range(context: Context) -> Iterator[Finding]:
    """A code lies in no range of the file.

    Why it matters: nobody allocates there, so nothing keeps others from taking the code; usually it is a typing error.

    How to fix it: declare a `[ranges.NAME]` that holds the code. If it is a typing error that was never released,
    delete the line and `extreg add` the target.
    """
    for row in _uncovered(context):
        if row.code > LAST_RESERVED:
            message = f"code {row.code} ({row.target}) lies in no range"
            yield context.found("outside-range", row, message, "declare a [ranges.NAME] that holds it")


def reserved_code(context: Context) -> Iterator[Finding]:
    """A code from 1 to 239 is used that no range of the file claims.

    Why it matters: PEP 307 gives 1 to 127 to the standard library, 128 to 191 to Zope and 192 to 239 to third parties.
    Their codes and yours meet in one process.

    How to fix it: take a code from 240 upwards. Who knows that no one else is there declares a `[ranges.NAME]` that
    holds the code.
    """
    for row in _uncovered(context):
        if row.code <= LAST_RESERVED:
            message = f"code {row.code} ({row.target}) is reserved: PEP 307 gives 1 to {LAST_RESERVED} to others"
            yield context.found("reserved-code", row, message, "declare a [ranges.NAME] that claims it")


def misplaced_module(context: Context) -> Iterator[Finding]:
    """A target stands in a range that is not its module's: its own range is another one, or the range is another's.

    Why it matters: ranges with `modules` let teams allocate without meeting. A stranger in the range breaks that.

    How to fix it: a code that was never released can be deleted and added again; otherwise widen `modules`.
    """
    registry = context.document.registry
    if registry is None or not any(span.modules for span in registry.ranges.values()):
        return
    owner_of = cache(partial(range_of_module, ranges=registry.ranges))
    for row in context.document.rows:
        if row.table == "retired":
            continue
        module, _ = split(row.target)
        actual = range_of_code(row.code, registry.ranges)
        owner = owner_of(module)
        if owner is not None and actual != owner:
            message = f"code {row.code} ({row.target}) is in range {actual}, but {module} belongs to range {owner}"
            yield context.found("misplaced-module", row, message, f"extreg add {row.target} allocates in {owner}")
        elif owner is None and actual is not None and registry.ranges[actual].modules:
            modules = ", ".join(registry.ranges[actual].modules)
            message = f"code {row.code} ({row.target}) is in range {actual}, which belongs to {modules}"
            yield context.found("misplaced-module", row, message, f"add {module} to the modules of {actual}")


def unsorted(context: Context) -> Iterator[Finding]:
    """The rows of a table do not stand in ascending order of their codes.

    Why it matters: only in a sorted file do two branches that take the same code touch the same place, so that git
    reports a conflict instead of merging a collision without a word.

    How to fix it: move the line to its place.
    """
    document = context.document
    for table in CODE_TABLES:
        codes = list(document.tables.code_tables[table])
        if codes == sorted(codes):
            continue
        for above, code in pairwise(codes):
            if code < above:
                message = f"code {code} stands below code {above} in [{table}]"
                yield context.found("unsorted", document.row(table, code), message, "extreg lint --fix moves the line")


def _uncovered(context: Context) -> Iterator[Row]:
    """Yield the rows whose code lies in no range."""
    registry = context.document.registry
    if registry is None:
        return
    outside = set(uncovered(registry.spent, registry.ranges))
    if outside:
        yield from (row for row in context.document.rows if row.code in outside)


def _clash(rule: str, what: str, here: tuple[Document, Row], there: tuple[Document, Row], hint: str) -> Finding:
    (document, row), (other, first) = here, there
    sides = [
        f"{found.path}:{found_row.line} {found_row.code} = {found_row.target} [{found_row.table}]"
        for found, found_row in ((other, first), (document, row))
    ]
    return Finding(
        rule=rule,
        path=other.path,
        line=first.line,
        message=f"{what} is assigned in two files: {sides[0]}, {sides[1]}",
        hint=hint,
    )
