"""Rules on what the targets are called, from their text and from what is known of the standard library."""

import re
from collections.abc import Iterator
from unicodedata import normalize

from extreg.linter.context import Context
from extreg.linter.facts.drifting import CONSTANTS, DRIFTING, MANGLED_FROM, Key
from extreg.linter.facts.known_targets import DEAD, Known
from extreg.linter.finding import Finding
from extreg.pickles.walking import names as python2
from extreg.registry.dangerous import danger, danger_in
from extreg.registry.document import Row
from extreg.registry.target import split

_NESTED = re.compile(r":[^\n:.]+\.")
_LOCAL = re.compile(r"<(?:locals|lambda)>")
_MAIN_NAMES = ("__main__", "__mp_main__")
_CONSTANT = re.compile(r":[A-Z][A-Z0-9_]*$", re.MULTILINE)
_PRIVATE = re.compile(r":(?:[^\n.]+\.)+__[^\n.]*[^\n._][^\n.]*(?<!__)(?=$|\.)", re.MULTILINE)
_BY_ITS_CLASS = "the code loads what 3.10 dumped; newer versions dump a call of the enumeration and a number"


def nested_name(context: Context) -> Iterator[Finding]:
    """A live code names something inside a class, such as `shop.models:Order.Line`.

    Why it matters: pickles of protocols 2 and 3 then hold the code and cannot be loaded (`AttributeError`), though by
    name they could be; only protocols 4 and 5 look up nested names by code.

    How to fix it: move the class to the top level of its module and `extreg move` the code there. Where nobody ever
    dumps with protocol 2 or 3, say so on the line: `# extreg: ignore[nested-name] protocol 4 and up only`.
    """
    for row in context.rows_like(_NESTED, "codes"):
        message = (
            f"code {row.code} ({row.target}) names something inside a class: protocols 2 and 3 dump it, none loads it"
        )
        yield context.found("nested-name", row, message, "move the class to the top level, or demote the code")


def main_module(context: Context) -> Iterator[Finding]:
    """A target is in a module that runs as the main program.

    Why it matters: a program's main module is called `__main__` while it runs, so pickle looks up another name than the
    one in the file, and `__main__` itself is another module in every program.

    How to fix it: move the definition to a module that is imported, and `extreg move` the code there.
    """
    main = {name for name in context.document.loaded_modules if name.rpartition(".")[2] in _MAIN_NAMES}
    for row in context.rows_in(main):
        message = f"code {row.code} ({row.target}) is in a main module, which has another name in every program"
        yield context.found("main-module", row, message, f"extreg move {row.code} MODULE:NAME")
    for name in context.document.other_names:
        if name.name.partition(":")[0].rpartition(".")[2] in _MAIN_NAMES:
            yield context.found_name("main-module", name, "is in a main module, which has another name elsewhere")


def local_name(context: Context) -> Iterator[Finding]:
    """A target is local to a function: its name has `<locals>` or `<lambda>` in it.

    Why it matters: pickle cannot find it by name, so that it is never dumped, and loading the code fails.

    How to fix it: move the definition to the top level of its module and `extreg move` the code there.
    """
    for row in context.rows_like(_LOCAL):
        message = f"code {row.code} ({row.target}) is local to a function: pickle cannot find it"
        yield context.found("local-name", row, message, f"extreg move {row.code} MODULE:NAME")
    for name in context.document.other_names:
        if _LOCAL.search(name.name):
            yield context.found_name("local-name", name, "is local to a function: pickle cannot find it")


def python2_name(context: Context) -> Iterator[Finding]:
    """A target is called as something was in Python 2 that pickle translates on load.

    Why it matters: under protocol 2 unpicklers map Python 2 names to Python 3 names also for codes, though nothing
    mapped them when they were dumped. The code loads something else, or nothing.

    How to fix it: give the module or the class another name and `extreg move` the code there. Where nobody ever dumps
    with protocol 2, say so on the line: `# extreg: ignore[python2-name] protocol 3 and up only`.
    """
    for row in context.rows_in(context.document.loaded_modules & python2.TRANSLATED):
        mapped = ":".join(python2.loaded(*split(row.target), protocol=2))
        if mapped != row.target:
            message = f"code {row.code} ({row.target}) loads {mapped} from a pickle of protocol 2"
            yield context.found("python2-name", row, message, "rename it, and extreg move the code")


def dangerous_target(context: Context) -> Iterator[Finding]:
    """A target is one that must not be dumped as a code: it breaks pickles of others, or hides what they do.

    Whole modules are meant where their functions run programs, load code or open files (`os`, `subprocess`, `pickle`,
    `ctypes`), but for the exceptions, enumerations and tuples in them; and what reaches anything by its name
    (`operator:attrgetter`, `functools:partial`).

    Why it matters: some globals are in pickles that you never see, such as those with which multiprocessing starts a
    child; some act when they are called, and a code hides them from scanners and from `find_class`, since a code that
    was loaded once is never asked for again. And the registry is the allow-list of `extreg.loads`.

    How to fix it: `extreg demote` the code, then `extreg retire` it. `extreg add` refuses such a target; where you know
    better, `--force` and a line `# extreg: ignore[dangerous-target] and why`. A name in `[aliases]`, or a new one in
    `[renamed]`, is taken out.
    """
    for row in context.rows_in({module for module in context.document.loaded_modules if danger_in(module)}):
        found = danger(row.target)
        if found is not None:
            message = f"code {row.code} ({row.target}) must not have one: {found.why}"
            yield context.found("dangerous-target", row, message, f"extreg retire --now {row.code}")
    for name in context.document.other_names:
        # Of a module, what any name in it is, since all names that are below the old one are meant.
        found = danger(name.name if ":" in name.name else f"{name.name}:_")
        if found is not None:
            yield context.found_name("dangerous-target", name, f"must not be reached by other names: {found.why}")


def dead_target(context: Context) -> Iterator[Finding]:
    """A target is never dumped under its name, so that its code does nothing.

    Why it matters: you believe the class has a stable code, and its pickles hold the name of another.

    How to fix it: `extreg retire --now` the code. What is dumped in its place is another class, such as
    `pathlib:PosixPath` for `pathlib:Path`; whether that one should have a code is told when it has one.
    """
    # What is dangerous too has its finding.
    mere = {target: known for target, known in DEAD.items() if danger(target) is None}
    yield from _known(context, "dead-target", mere, "extreg retire --now {}")
    if context.document.loaded_text.isascii():
        return
    for row in context.rows_like(re.compile(r"[^\x00-\x7f]")):
        # Identifiers are NFKC in the compiled code, whatever the source has (PEP 3131).
        plain = normalize("NFKC", row.target)
        if plain != row.target:
            message = f"code {row.code} ({row.target}) is not spelt in NFKC, as every name in running Python is"
            yield context.found("dead-target", row, message, f"extreg move {row.code} {plain}")


def drifting_target(context: Context) -> Iterator[Finding]:
    """A target is dumped under different names by the Python versions that the project supports.

    Why it matters: on some of them the code is dead and the object is dumped by name; what one version dumps as a code
    another dumps as something that the first cannot load.

    How to fix it: where the target can be loaded on all of them, `extreg alias` the names that it has on some, and
    every version dumps the code. Where all versions that exchange pickles dump the same name, say which they are:
    `python` in `[tool.extreg.lint]`, which overrides `project.requires-python` in pyproject.toml. Else register
    something of your own in its place, or leave it to its name. Do not give the other name a code as well: on every
    version that lacks that name, loading the code fails.
    """
    if context.pythons[-1] >= MANGLED_FROM > context.pythons[0]:
        for row in context.rows_like(_PRIVATE):
            message = f"code {row.code} ({row.target}) is private in its class: from 3.15 on its name is mangled"
            yield context.found("drifting-target", row, message, "give it a name without leading underscores")
    if context.pythons[0] <= (3, 10) < context.pythons[-1]:
        for row in context.rows_in(context.document.loaded_modules & set(CONSTANTS)):
            if _CONSTANT.search(row.target) is None:
                continue
            message = f"code {row.code} ({row.target}) is dumped by this name up to 3.10, as its enumeration since 3.11"
            yield context.found("drifting-target", row, message, _BY_ITS_CLASS)
    # What is never dumped anyhow has its finding.
    drifting = DRIFTING.keys() & context.document.loaded_targets - DEAD.keys()
    for row in context.rows_named(drifting):
        keys = _keys_in(DRIFTING[row.target], context.pythons)
        aliases = context.document.tables.aliases.get(row.code, ())
        keys = {version: row.target if target in aliases else target for version, target in keys.items()}
        if len(set(keys.values())) > 1:
            shown = ", ".join(f"{target or 'absent'} in {version}" for version, target in keys.items())
            message = f"code {row.code} ({row.target}) is dumped under different names: {shown}"
            yield context.found("drifting-target", row, message, _explained(context, row, keys))


def _explained(context: Context, row: Row, keys: dict[str, str | None]) -> str:
    """Say what becomes of the code, and what not to do about it."""
    others = [target for target in dict.fromkeys(keys.values()) if target and target != row.target]
    by_name = f"where it has another name it is dumped by that: {', '.join(others)}" if others else "it is not there"
    # A private module's name means nothing else elsewhere, as builtins:TimeoutError does before 3.11.
    private = all("._" in f".{other.partition(':')[0]}" for other in others)
    known = None not in keys.values() and row.target in keys.values()
    if others and private and known and not _coded(context, others):
        return f"if {row.target} can be loaded on all of them: extreg alias {row.code} {' '.join(others)}"
    coded = _coded(context, others)
    if coded:
        return f"{by_name}; the code of {coded[0]} fails to load where that name is missing"
    return f"{by_name}; a code for that too would fail to load elsewhere"


def _coded(context: Context, targets: list[str]) -> list[str]:
    return [target for target in targets if target in context.document.loaded_targets]


def _keys_in(keys: tuple[Key, ...], pythons: tuple[tuple[int, int], ...]) -> dict[str, str | None]:
    """Return the key in each of the versions where it changes, as ``{"3.10": ...}``."""
    found: dict[str, str | None] = {}
    for version in pythons:
        current = [key.target for key in keys if key.first <= version]
        if current and (not found or list(found.values())[-1] != current[-1]):
            found[f"{version[0]}.{version[1]}"] = current[-1]
    return found


def _known(context: Context, rule: str, known: dict[str, Known], hint: str) -> Iterator[Finding]:
    for row in context.rows_named(known.keys() & context.document.loaded_targets):
        yield _of(context, rule, row, known[row.target], hint)


def _of(context: Context, rule: str, row: Row, known: Known, hint: str) -> Finding:
    message = f"code {row.code} ({row.target}): {known.why}"
    return context.found(rule, row, message, hint.format(row.code))
