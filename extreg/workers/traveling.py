"""How a registry gets from one process to another: as plain text, for what is coded could not be read there."""

import os
from typing import Any, Literal, cast

import extreg
from extreg.ledger import INSTALLED, Rows
from extreg.startup import find, is_path, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from extreg.registry.model import Registry

    Given = str | os.PathLike[str] | Registry | None
    Policy = Literal["error", "replace", "keep"]

# A registry on its way: "path", "package" or "text", which one, the policy for conflicts, and what was said about
# former names.  A tuple of text, since an object of ours might have an extension code.
Source = tuple[str, str, str, str]

_SAID: "dict[str, bool | None]" = {"": None, "yes": True, "no": False}


def sources_here(given: "Given", *, elsewhere: bool = False) -> tuple[Source, ...]:
    """Return what another process is to install: what is `given`, else all that is installed here, else what is found.

    With `elsewhere` for other machines: what a file says travels, with all that it includes, and not its path.
    Raises what `extreg.install` does for a source that is not there or not valid.
    """
    if given is None and INSTALLED:
        return tuple(_installed(entry, elsewhere) for entry in INSTALLED)
    if given is None:
        given = find(None, {})
    if not isinstance(given, (str, os.PathLike)):
        return (("text", _text_of(given), "error", ""),)
    path = find(given, {})
    layers = read(path)  # which says here what is wrong with it
    if isinstance(given, str) and not is_path(given):
        return (("package", given, "error", ""),)
    return (("text", _combined(layers), "error", "") if elsewhere else ("path", path, "error", ""),)


def install_all(sources: tuple[Source, ...]) -> None:
    """Install what `sources_here` returned in another process, all or none."""
    done = []
    try:
        for source in sources:
            done.append(_install(*source))
    except BaseException:
        for installation in reversed(done):
            installation.uninstall()
        raise


def shown(sources: tuple[Source, ...]) -> str:
    """Return what travels, in a few words."""
    return ", ".join("the text of a registry" if kind == "text" else value for kind, value, _, _ in sources)


def _install(kind: str, value: str, on_conflict: str, former: str) -> "extreg.Installation":
    policy = cast("Policy", on_conflict)
    if kind == "text":
        from extreg.registry.model import Registry

        return extreg.install(Registry.parse(value), on_conflict=policy, former_names=_SAID[former])
    return extreg.install(value, on_conflict=policy, former_names=_SAID[former])


def _installed(entry: Any, elsewhere: bool) -> Source:
    """Return the source of an installation of this process."""
    former = next(text for text, said in _SAID.items() if said is entry._former)
    policy = entry._owner.on_conflict
    if isinstance(entry._source, str) and not elsewhere:
        return "path", entry._source, policy, former
    return "text", _combined(entry._owner.layers), policy, former


def _text_of(registry: "Registry") -> str:
    from extreg.startup.values import rows_of

    return _combined(rows_of(registry))


def _combined(layers: tuple[Rows, ...]) -> str:
    """Return the text of one registry that says what the `layers` do, and includes nothing."""
    from dataclasses import replace

    from extreg.project.effective import with_rows_of
    from extreg.registry.toml.render import render
    from extreg.startup.shown import registry_of

    whole, *included = map(registry_of, layers)
    reducers = dict(whole.reducers)
    for other in included:
        whole = with_rows_of(whole, other)
        reducers = {**other.reducers, **reducers}
    return render(replace(whole, include=(), reducers=reducers))
