"""The errors of extreg.

Each carries its facts as attributes, renders them in ``str()``, keeps the builtin base that callers
already catch, and survives a pickle round trip.  The start-up modules import this module only once
something has gone wrong, so it may stay readable rather than fast.
"""

__all__ = [
    "AllocationError",
    "CallbackError",
    "Conflict",
    "ConflictError",
    "ExtregError",
    "ForbiddenGlobalError",
    "MalformedPickleError",
    "MigrationError",
    "Offender",
    "Problem",
    "ReducerError",
    "RegistryError",
    "RetiredCodeError",
    "StateVersionError",
    "UnreadableError",
    "WrittenError",
]

from pickle import PicklingError, UnpicklingError
from typing import ClassVar, NamedTuple

from extreg.printable import printable


class Problem(NamedTuple):
    """One thing wrong with a registry file.

    ``where`` is the dotted path of the key (``codes.4711``), or an empty string for the file as a whole;
    ``line`` counts from 1 and is ``None`` where no line can be named; ``rule`` is the name of the lint rule
    that documents this problem.
    """

    where: str
    message: str
    hint: str = ""
    path: str = ""
    line: "int | None" = None
    rule: str = "malformed"

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line is not None else self.path
        text = ": ".join(part for part in (place, self.where, self.message) if part)
        return printable(f"{text} ({self.hint})" if self.hint else text)


class Conflict(NamedTuple):
    """One row of a registry that cannot be installed beside what copyreg already holds.

    ``wanted`` and ``wanted_by`` are our side (``"240 = shop.money:Money"`` and where it stands), ``held`` and
    ``held_by`` the other; ``cure`` is the command or edit that resolves it.
    """

    code: int
    target: str
    wanted: str
    wanted_by: str
    held: str
    held_by: str
    cure: str

    def __str__(self) -> str:
        clash = printable(f"{self.wanted} ({self.wanted_by}) against {self.held} ({self.held_by})")
        return f"{clash}\n    cure: {printable(self.cure)}"


# How many lines a message shows.
_SHOWN = 5


class ExtregError(Exception):
    """Base of every error that extreg raises on purpose.

    ``message`` (str) says what is wrong and ``hint`` (str, may be empty) what to do, both as they are; ``str()`` gives
    the two with what came from elsewhere escaped for terminals.  A message has one line, or as many as it has items
    where it has ``several``, each escaped by itself.
    """

    several: ClassVar[bool] = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.shown}\nhint: {printable(self.hint)}" if self.hint else self.shown

    @property
    def shown(self) -> str:
        """The message as it may be shown."""
        return printable(self.message, keep="\n" if self.several else "")


class UnreadableError(ExtregError):
    """Input that is not there, cannot be read or written, or is no proper argument."""


class WrittenError(UnreadableError):
    """The file at ``path`` holds what was asked for, but something failed after that: ``failed`` says what.

    ``lines`` are those that are new in a registry.
    """

    def __init__(self, path: str, failed: str, lines: "tuple[str, ...]" = ()) -> None:
        shown = ", ".join(lines[:_SHOWN]) + (f" and {len(lines) - _SHOWN} more lines" if len(lines) > _SHOWN else "")
        message = f"{path} is written" + (f" and holds {shown}" if lines else "") + f"; but {failed}"
        super().__init__(message, "the change is made: do not make it again; mend what failed, and run: sync")
        self.args = (path, failed, lines)
        self.path = path
        self.failed = failed
        self.lines = lines


class RegistryError(ExtregError):
    """A registry that breaks the format; ``problems`` (a tuple of `Problem`) names every one of its faults."""

    several = True

    def __init__(self, problems: "tuple[Problem, ...]") -> None:
        super().__init__("\n".join(map(str, problems)))
        self.args = (problems,)
        self.problems = problems


class ConflictError(ExtregError, ValueError):
    """Rows that cannot be installed; ``conflicts`` (a tuple of `Conflict`) names every one. copyreg is as it was."""

    several = True

    def __init__(self, conflicts: "tuple[Conflict, ...]") -> None:
        count = len(conflicts)
        head = f"{count} conflict{'s' if count != 1 else ''} with what copyreg already holds; nothing was installed"
        super().__init__("\n  ".join([head, *map(str, conflicts)]))
        self.args = (conflicts,)
        self.conflicts = conflicts


class CallbackError(ExtregError):
    """Callbacks of `on_clear` that raised; ``failures`` is a tuple of (name, exception).

    The cache was cleared and every callback was called.
    """

    several = True

    def __init__(self, failures: "tuple[tuple[str, Exception], ...]") -> None:
        lines = [printable(f"{name}: {type(error).__name__}: {error}") for name, error in failures]
        super().__init__("\n  ".join(["raised by a callback given to extreg.on_clear:", *lines]))
        self.args = (failures,)
        self.failures = failures


class AllocationError(ExtregError):
    """No code can be given: the range is full, the number is spent, or it lies where it may not."""


class ReducerError(ExtregError, PicklingError):
    """A reducer that is missing, in conflict with another, or that returns what pickle cannot use.

    ``places`` says where each reducer concerned was asked for (``registry.toml:31``, or the file and line of a call).
    """

    several = True

    def __init__(self, message: str, places: "tuple[object, ...]" = ()) -> None:
        super().__init__(message)
        self.places = tuple(map(str, places))
        self.args = (message, self.places)


class MigrationError(ExtregError, ValueError):
    """Migrations that do not lead from every version that can be met to the class's own."""


class StateVersionError(ExtregError, UnpicklingError):
    """A pickled state of a version this program cannot use: newer than the class, or older than its migrations.

    ``target`` (str) is the class, ``found`` (int) the version in the pickle, ``ours`` (int) that of the class.
    """

    def __init__(self, target: str, found: int, ours: int, hint: str = "") -> None:
        super().__init__(f"{target}: the pickled state has version {found}, this program's class has {ours}", hint)
        self.args = (target, found, ours, hint)
        self.target = target
        self.found = found
        self.ours = ours


class Offender(NamedTuple):
    """One global or code that a registry does not permit, and every place that refers to it.

    ``what`` names it as the bytes do, safe to print; ``offsets`` are those of the opcodes that refer to it; ``target``
    is what would be imported, where that can be written as a target; ``cure`` is the command that would permit it, or
    says why there is none.
    """

    what: str
    offsets: "tuple[int, ...]"
    target: "str | None"
    cure: str

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.offsets[:8])) + (", ..." if len(self.offsets) > 8 else "")
        place = f" (at byte {shown})" if self.offsets else ""
        return printable(f"{self.what}{place}: {self.cure}")


class ForbiddenGlobalError(ExtregError, UnpicklingError):
    """A pickle that refers to what the registry does not hold; its ``offenders`` name each.  Nothing was loaded."""

    several = True

    def __init__(self, offenders: "tuple[Offender, ...]") -> None:
        count = len(offenders)
        head = f"the pickle refers to {count} global{'s' if count != 1 else ''} that the registry does not permit"
        hint = "permit only what may be called with any arguments: loading a pickle does that"
        super().__init__("\n  ".join([head, *map(str, offenders)]), hint)
        self.args = (offenders,)
        self.offenders = offenders


class RetiredCodeError(ExtregError, UnpicklingError, ValueError):
    """A pickle that holds a retired code, which nothing loads any more.

    ``code`` (int) is the code, ``target`` (str) what it meant at last, ``place`` (str) where the row stands that
    retired it: ``path:line``, or as much of it as is known.
    """

    def __init__(self, code: int, target: str, place: str, hint: str = "") -> None:
        by = f" ({place})" if place else ""
        super().__init__(f"extension code {code} is retired{by}; it meant {target}", hint)
        self.args = (code, target, place, hint)
        self.code = code
        self.target = target
        self.place = place


class MalformedPickleError(ExtregError, UnpicklingError, ValueError):
    """Bytes that are no sequence of whole pickles; ``offset`` (int) is where the opcode stands that cannot be read.

    Where the bytes end before a STOP, ``offset`` is their length.
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.args = (message, offset)
        self.offset = offset

    def __str__(self) -> str:
        return f"{self.shown} (at byte {self.offset})"
