"""What a walk over pickle bytes tells: events."""

from typing import Literal, NamedTuple

Kind = Literal["global", "code", "unresolved", "proto", "frame", "stop"]


class Event(NamedTuple):
    """One opcode that says what a pickle refers to, or where it begins and ends.

    ``kind`` is one of

    - ``"global"``: GLOBAL, INST or STACK_GLOBAL of ``module`` and ``name``, as they stand in the bytes (under
      protocols 0 to 2 an unpickler maps Python 2's names: see `extreg.pickles.walking.names.loaded`);
    - ``"code"``: EXT1, EXT2 or EXT4 of code ``number``, be it registered, zero or negative;
    - ``"unresolved"``: a STACK_GLOBAL whose operands cannot be known without executing the pickle;
    - ``"proto"`` and ``"frame"``: PROTO and FRAME with their ``number``;
    - ``"stop"``: the end of a pickle.

    ``offset`` is where the opcode stands and ``opcode`` its name.  ``begin`` is where the operands of a STACK_GLOBAL
    begin, if they stand right in front of it, and otherwise None.
    """

    kind: Kind
    offset: int
    opcode: str
    module: str | None = None
    name: str | None = None
    number: int | None = None
    begin: int | None = None

    @property
    def target(self) -> str | None:
        """``module:name`` of a global whose names hold no colon, so that it reads in one way only; otherwise None."""
        if self.module is None or self.name is None or ":" in self.module or ":" in self.name:
            return None
        return f"{self.module}:{self.name}"
