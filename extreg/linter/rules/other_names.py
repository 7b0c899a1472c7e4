"""Rules on former and other names: ``[moved]``, ``[aliases]`` and ``[renamed]``."""

from collections.abc import Iterator

from extreg.linter.context import Context
from extreg.linter.finding import Finding
from extreg.registry.model import Registry
from extreg.registry.renames import Names


def ambiguous_alias(context: Context) -> Iterator[Finding]:
    """A name in `[aliases]` leads to two codes: as an alias of both, or as the target of one of them.

    Those of retired codes do not count. Files that are installed together are looked at together.

    Why it matters: an object is dumped as one code, so `extreg.install()` refuses the file.

    How to fix it: take the name out of one of the rows. Where it has a code of its own, `extreg demote` that and
    `extreg move` it to the target that has the alias: both codes then load the same.
    """
    yield from context.problems("ambiguous-alias")
    if not context.included:
        return
    first_seen: dict[str, tuple[str, int]] = {}
    for document in context.documents:
        aliases = document.tables.aliases
        loaded = {**document.tables.load_only, **document.tables.codes}
        names = {target: code for code, target in loaded.items()}
        names.update((name, code) for code in aliases.keys() & loaded.keys() for name in aliases[code])
        for name, code in names.items():
            path, other = first_seen.setdefault(name, (document.path, code))
            if path == document.path or code == other or loaded.get(code) == name == _target(context, path, other):
                continue
            message = f"{name} is a name of code {other} in {path}, and of code {code} here"
            line = document.line("aliases", code) or document.line("codes", code) or document.line("load-only", code)
            hint = "take it out of [aliases] in one of the two files"
            yield Finding(rule="ambiguous-alias", path=document.path, line=line, message=message, hint=hint)


def _target(context: Context, path: str, code: int) -> str | None:
    tables = next(document.tables for document in context.documents if document.path == path)
    return {**tables.load_only, **tables.codes}.get(code)


def circular_rename(context: Context) -> Iterator[Finding]:
    """Rows of `[renamed]` lead back to where they started, some way round.

    Why it matters: nobody can tell which of the names is the one of today, so that `extreg.install()` refuses the file.

    How to fix it: a rename points to the newest name; delete the row that points back to an old one.
    """
    yield from context.problems("circular-rename")


def ambiguous_former_name(context: Context) -> Iterator[Finding]:
    """A former name leads to two places: it was the name of two codes that now mean different things, or `[moved]` and
    `[renamed]` disagree.

    Why it matters: a pickle that holds the name may mean either class, so it is healed to neither. `extreg rewrite`
    leaves it as it is, and reading it fails where nothing has the name today.

    How to fix it: a row of `[renamed]` that says otherwise than `[moved]` goes. Where two classes really had the name,
    one after the other, nothing is wrong with the file: say so on the line, `# extreg: ignore[ambiguous-former-name]`.
    """
    registry = context.document.registry
    if registry is None:
        return
    names = registry.derived(Names)
    for name in names.steps:
        ends = names.ends(name)
        if len(ends) > 1:
            message = f"{name} leads to {' and '.join(sorted(ends))}, and a pickle that holds it may mean either"
            hint = "delete the row that is wrong; where two classes really had the name, ignore this on the line"
            yield _found(context, "ambiguous-former-name", name, message, hint)


def former_name_in_use(context: Context) -> Iterator[Finding]:
    """A former name is the name of something else today: of what another code means, or of what the sources have there.

    Why it matters: what has a name today is never read as what had it once. A pickle from then, which holds the name,
    loads the other class without any error.

    How to fix it: give the class of today another name, while few pickles hold it. Where it is the same class, which
    has not moved yet, finish the move; where it is another one for good, say so on the line:
    `# extreg: ignore[former-name-in-use]`.
    """
    registry = context.document.registry
    if registry is None:
        return
    loaded = {**registry.load_only, **registry.codes}
    codes = {name: code for code in registry.aliases.keys() & loaded.keys() for name in registry.aliases[code]}
    codes.update((target, code) for code, target in loaded.items())
    for name, new in _former(registry).items():
        if loaded.get(codes.get(name, 0)) == new:
            continue  # merged classes, or an alias that was the target once
        if name in codes:
            message = f"{name} is recorded as a former name of {new}, and is what code {codes[name]} means today"
        elif _defined_elsewhere(context, name, new):
            message = f"{name} is recorded as a former name of {new}, and something else has that name today"
        else:
            continue
        hint = "pickles from before hold the name too: call one of the two otherwise, or ignore this on the line"
        yield _found(context, "former-name-in-use", name, message, hint)


def missing_rename(context: Context) -> Iterator[Finding]:
    """The new name in a row of `[renamed]` is not there: there is no such module, or no such name in it.

    The sources are looked at, nothing is imported. Of a library of which an older version is installed, which has the
    old name still, nothing is reported.

    Why it matters: a pickle that holds the old name is told to look where nothing is.

    How to fix it: mend the new name. Where it was renamed again, let the row point to the newest name.
    """
    for old, new in context.document.tables.renamed.items():
        answers = context.answers or {}
        answer, before = answers.get(new), answers.get(old)
        if answer is None or answer.kind != "missing":
            continue
        there = before is not None and before.kind in ("found", "reexported")
        top = new.partition(":")[0].partition(".")[0]
        if there and top not in context.own:
            continue
        message = f"{old} is {new} now, it says, but {answer.detail}"
        hint = f"{old} is there: should the row point the other way?" if there else "mend the new name"
        yield _found(context, "missing-rename", old, message, hint)


def ineffective_former_names(context: Context) -> Iterator[Finding]:
    """An included registry says `former-names = true`, which has no effect there.

    Why it matters: only the file that a program names decides whether plain `pickle.loads` finds former names, so that
    who includes a package is not surprised by it. Whoever wrote the line counts on what does not happen.

    How to fix it: put `former-names = true` into the file that the program installs, or leave it away.
    """
    if context.document.tables.former_names:
        return
    for document in context.included:
        if document.tables.former_names:
            message = f"former-names has no effect in an included registry: {context.document.path} decides"
            hint = f"put former-names = true into {context.document.path}, if former names are to be found"
            line = document.line("former-names")
            yield Finding(rule="ineffective-former-names", path=document.path, line=line, message=message, hint=hint)


def _former(registry: Registry) -> dict[str, str]:
    """Return the former names of what is loaded and of what has no code, each with its newer name."""
    found = {}
    for code, names in registry.moved.items():
        target = registry.target(code)
        found.update({name: target for name in names if target is not None and name != target})
    return {**found, **{old: new for old, new in registry.renamed.items() if ":" in old}}


def _defined_elsewhere(context: Context, name: str, new: str) -> bool:
    """Whether the sources have something of their own under `name`, and `new` is not merely missing yet."""
    answers = context.answers or {}
    answer, today = answers.get(name), answers.get(new)
    if answer is None or (today is not None and today.kind == "missing"):
        return False
    if today is not None and today.kind == "reexported" and today.target == name:
        return False  # it is the same: an older or newer library gives it that name
    return answer.kind == "found" or (answer.kind == "reexported" and answer.target != new)


def _found(context: Context, rule: str, name: str, message: str, hint: str) -> Finding:
    """Return a finding about a former name, on the first line that has it."""
    document = context.document
    line = document.line("renamed", name)
    for table, rows in (("moved", document.tables.moved), ("aliases", document.tables.aliases)):
        for code, names in rows.items():
            if name in names and line is None:
                line = document.line(table, code)
    return Finding(rule=rule, path=document.path, line=line, message=message, hint=hint)
