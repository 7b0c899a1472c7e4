"""Bytes: pickle bytes to findings, bytes to bytes.  Pure; nothing here executes a pickle or imports what it names.

`walk` yields an `Event` for each opcode that refers to a global or a code, and for PROTO, FRAME and STOP; `scan` counts them.
`steps` yields every opcode of one pickle.  All take bytes, bytearray, a contiguous memoryview or an mmap, several pickles in a row
(`steps`: one), and raise `MalformedPickleError`.
"""

__all__ = ["Event", "MalformedPickleError", "Scan", "Step", "scan", "steps", "walk"]

from extreg.errors import MalformedPickleError
from extreg.pickles.events import Event
from extreg.pickles.opcodes import Step, steps
from extreg.pickles.scan import Scan, scan
from extreg.pickles.walk import walk
