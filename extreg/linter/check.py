"""Lint rules: plain functions from a context to findings, all of them in one tuple.

A rule's function is named as the rule is, its docstring is its documentation, and its name is never recycled.
"""

from collections.abc import Callable, Collection, Iterator

from extreg.linter.context import Context
from extreg.linter.finding import Finding
from extreg.linter.rules import file, history, ignores, names, other_names, processes, samples, state, targets

Rule = Callable[[Context], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    file.malformed,
    file.conflict_markers,
    file.duplicate_code,
    file.duplicate_target,
    file.overlapping_ranges,
    file.outside_range,
    file.reserved_code,
    file.misplaced_module,
    file.unsorted,
    names.nested_name,
    names.main_module,
    names.local_name,
    names.python2_name,
    names.dangerous_target,
    names.dead_target,
    names.drifting_target,
    targets.missing_target,
    targets.reexported_target,
    targets.unimportable_target,
    targets.unpicklable_target,
    targets.unregistered_call,
    other_names.ambiguous_alias,
    other_names.circular_rename,
    other_names.ambiguous_former_name,
    other_names.former_name_in_use,
    other_names.missing_rename,
    other_names.ineffective_former_names,
    history.reassigned_code,
    history.deleted_code,
    history.deleted_retired,
    history.revived_code,
    history.forgotten_move,
    history.unstaged_code,
    processes.late_install,
    processes.engine_without_codes,
    processes.unpackaged_registry,
    state.slots_gained,
    state.field_gained,
    state.enum_changed,
    state.arguments_changed,
    state.base_changed,
    state.slot_lost,
    state.version_lowered,
    state.missing_migration,
    state.pickling_changed,
    samples.no_sample,
    state.unstaged_version,
    ignores.unused_ignore,
)


def name_of(rule: Rule) -> str:
    """Return the name of a rule: its function's, with hyphens."""
    return rule.__name__.replace("_", "-")


BY_NAME = {name_of(rule): rule for rule in RULES}
# What not every project wants: these rules run where they are selected by name.
OPTIONAL = frozenset({"no-sample", "pickling-changed"})

# Those that compare the state of classes.
ON_STATE = frozenset(name for name, rule in BY_NAME.items() if rule.__module__ == state.__name__)


def wanted_rules(
    select: Collection[str] = (), ignore: Collection[str] = (), extend_select: Collection[str] = ()
) -> frozenset[str]:
    """Return the names of the rules that run: those in `select`, by default all that are not optional, and those in
    `extend_select`; not those in `ignore`.  A file that cannot be read is reported whatever they are.
    """
    chosen = {*(select or BY_NAME.keys() - OPTIONAL), *extend_select}
    return frozenset(chosen.difference(ignore) | {"malformed"})


def check(
    context: Context,
    *,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    extend_select: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Return what the rules find, sorted by place; `wanted_rules` says which run."""
    wanted = wanted_rules(select, ignore, extend_select)
    found = {
        finding for name in BY_NAME if name in wanted and name != "unused-ignore" for finding in BY_NAME[name](context)
    }
    comments = ignores.ignores(context)
    if not comments:
        return tuple(sorted(found, key=lambda finding: finding.place))
    staying, suppressed = ignores.split_ignored(found, comments)
    if "unused-ignore" in wanted:
        ran = frozenset(wanted - _without_means(context))
        staying |= set(ignores.unused_ignore(context, ignores.Outcome(suppressed, ran, frozenset(BY_NAME))))
    return tuple(sorted(staying, key=lambda finding: finding.place))


def _without_means(context: Context) -> set[str]:
    """Return the rules that could not find anything because nobody looked up what they need."""
    lacking: set[str] = set()
    if context.answers is None and context.imported is None:
        lacking |= {"missing-target", "reexported-target"}
    if context.answers is None:
        lacking |= {"missing-rename", "former-name-in-use"}
    if context.imported is None:
        # What the source cannot tell, importing may; a comment for that finding has its use there.
        lacking |= {"missing-target", "reexported-target", "unimportable-target", "unpicklable-target"}
    if context.calls is None:
        lacking.add("unregistered-call")
    if context.unsampled is None:
        lacking.add("no-sample")
    if context.base is None and context.history is None:
        lacking |= {"reassigned-code", "deleted-code", "deleted-retired", "revived-code", "forgotten-move"}
    if context.base is None or not context.rolling:
        lacking |= {"unstaged-code", "unstaged-version"}
    if context.programs is None:
        lacking |= {"late-install", "engine-without-codes"}
    if not context.wheel:
        lacking.add("unpackaged-registry")
    if context.states is None:
        lacking |= ON_STATE
    return lacking
