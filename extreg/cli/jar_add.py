"""jar add: put pickles into the jar."""

import argparse
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from extreg.cli.command import Command, registry_option
from extreg.cli.jar_check import seconds_option
from extreg.cli.output import note, say, say_error, short
from extreg.cli.progress import watched
from extreg.cli.stored import plural, say_faults, say_passed
from extreg.errors import ExtregError, UnreadableError
from extreg.jar.adding import Added, Sample, add
from extreg.jar.entries import pickle_of
from extreg.jar.folder import jar_folder
from extreg.project.effective import module_path, read_effective
from extreg.project.git import is_tracked
from extreg.project.locate import registry_path
from extreg.registry.model import Registry
from extreg.stores.files import Found, files_below
from extreg.stores.items import Fault, Passed
from extreg.stores.samples import Selection, Single, singles

# More than anybody looks at one by one.
_MOST = 100
_SHOWN = 20
_ROLES = {
    "value": "also elsewhere in the bytes",
    "key": "a key",
    "argument": "an argument",
    "state": "in a state that only its class knows",
    "id": "a persistent id",
}


def _run(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    registry = read_effective(path)
    if not arguments.files and not arguments.places:
        raise UnreadableError("there is nothing to add", "extreg jar add FILE, or: extreg jar add --from PATH --each 2")
    folder = jar_folder(path)
    source = _Source(registry, arguments.redact)
    samples = [*source.named(arguments.files), *source.chosen(arguments.places, arguments.each)]
    added = list(watched(add(samples, folder, registry, module_path(path), seconds=arguments.timeout), "pickles"))
    for one in added:
        _tell(one, pickle_of(folder, one.entry))
    if not samples and not source.faults:
        note("nothing was added: there is no pickle to be kept")
    say_faults(source.faults)
    say_passed(source.passed)
    if any(one.new for one in added):
        note(f"look at the records beside them, then: git add {folder}")
    if source.faults:
        return 2
    return 1 if any(one.faults or one.refused for one in added) else 0


def _tell(added: Added, place: Path) -> None:
    """Print what came of one pickle."""
    source = added.entry.origin.get("from", "it")
    if added.refused:
        hint = f"to keep it as it is, with all that is in it: extreg jar add --no-redact {shlex.quote(source)}"
        say_error(ExtregError(f"{source} was not added: {added.refused}", hint))
        return
    if not added.new:
        note(f"{source} is there already, as {place}")
        return
    say(str(place))
    for fault in added.faults:
        note(f"{place}: {fault.kind}: {fault.message}" + (f" ({fault.hint})" if fault.hint else ""))
    if added.redaction is not None:
        kept = added.redaction.kept
        left = f"; {len(kept)} left as they are, which you should look at" if kept else ""
        note(f"{place}: {plural(added.redaction.replaced, 'value')} replaced{left}")
        for one in kept[:_SHOWN]:
            note(
                f"{_ROLES[one.role]}{f' at {one.place}' if one.place else ''}: {one.shown}",
                label="left",
                colour="yellow",
            )
        if len(kept) > _SHOWN:
            note(f"and {len(kept) - _SHOWN} more; [bytes] in the record shows all", label="left", colour="yellow")


class _Source:
    """Where samples come from; ``faults`` and ``passed`` are what could not be read, and what was passed over."""

    def __init__(self, registry: Registry, redact: bool | None) -> None:
        self._redact = redact
        self.faults: list[tuple[Found, Fault]] = []
        self.passed: list[tuple[Found, Counter[str]]] = []
        self._registry = registry

    def named(self, files: list[str]) -> Iterator[Sample]:
        """Yield all pickles in `files`."""
        for given in files:
            path, member = split_member(given)
            if Path(path).is_dir():
                raise UnreadableError(f"{path} is a folder", f"extreg jar add --from {path} --each 1")
            found = [single for single in self._singles(path) if member is None or single[1].member == member]
            if not found and not self.faults:
                raise UnreadableError(f"{given} holds no pickle", f"extreg scan {path} says what it holds")
            if len(found) > _MOST:
                hint = f"a few for each code and target: extreg jar add --from {path} --each 2"
                raise UnreadableError(f"{given} holds {len(found)} pickles", hint)
            for file, single in found:
                yield self._sample(file, single, len(found) > 1)

    def chosen(self, places: list[str], each: int) -> Iterator[Sample]:
        """Yield pickles below `places` until there are `each` for every code and target that the registry holds."""
        selection = Selection(self._registry, each)
        for place in places:
            for file, single in watched(self._singles(place), "pickles"):
                if selection.takes(single.data):
                    yield self._sample(file, single, True)
        if selection.forbidden:
            note(f"{plural(selection.forbidden, 'pickle')} left out: they refer to what the registry does not hold")

    def _sample(self, file: Found, single: Single, several: bool) -> Sample:
        """Return a sample; what is in the repository everybody may see who sees the jar, and nothing else is so."""
        known = is_tracked(file.path)
        path = short(str(file.path.absolute())) if known else file.path.name
        place = f"{path}::{single.member}" if single.member else path
        place = f"{place}, pickle {single.number}" if several and single.number > 1 else place
        return Sample(single.data, place, not known if self._redact is None else self._redact)

    def _singles(self, path: str) -> Iterator[tuple[Found, Single]]:
        for file in files_below([path]):
            passed: Counter[str] = Counter()
            for item in singles(file):
                if isinstance(item, Single):
                    yield file, item
                elif isinstance(item, Passed):
                    passed[item.kind] += 1
                else:
                    self.faults.append((file, item))
            if passed:
                self.passed.append((file, passed))


def split_member(given: str) -> tuple[str, str | None]:
    """Return the file and the member that ``FILE::MEMBER`` means; a file may be called so, too."""
    path, separator, member = given.partition("::")
    return (path, member) if separator and not Path(given).exists() else (given, None)


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 1000:
        raise ValueError
    return count


_count.__name__ = "number of pickles"


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="*", metavar="FILE[::MEMBER]", help="a file: all pickles in it, or those of one member"
    )
    parser.add_argument(
        "--from",
        dest="places",
        action="append",
        default=[],
        metavar="PATH",
        help="a file or a folder to choose pickles from, of those that the registry permits",
    )
    parser.add_argument(
        "--each", type=_count, default=1, metavar="N", help="with --from: so many for each code and target (default: 1)"
    )
    parser.add_argument(
        "--redact",
        action=argparse.BooleanOptionalAction,
        help="put harmless values of the same length in the place of strings, bytes and numbers; what cannot be "
        "replaced is listed (default: for whatever is no file of the git repository)",
    )
    seconds_option(parser)
    registry_option(parser)


COMMAND = Command(
    name="jar add",
    description="Put pickles into the jar, each with a record of what its bytes say and of what it became. Each is "
    "LOADED for that, in a child process and under the registry: nothing that the registry does not hold is imported "
    "or called. Where files are read from, archives and databases are looked into, and nothing is changed. Exit code: "
    "1 when one does not load, or what it became lacks something; it is in the jar all the same; or when one could not "
    "be redacted, which is not.",
    examples="  extreg jar add order.pickle\n"
    "  extreg jar add cache.sqlite::entries.value#1\n"
    "  extreg jar add --from cache/ --each 2",
    configure=_configure,
    run=_run,
)
