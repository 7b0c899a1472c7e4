"""Bytes: pickle bytes to findings, bytes to bytes.  Pure; nothing here executes a pickle or imports what it names.

`walk` yields an `Event` for each opcode that refers to a global or a code, and for PROTO, FRAME and STOP; `scan`
counts them, and `tally` as many as can be read; `plausible` tells pickles from other bytes.  `steps` yields every
opcode of one pickle and `disassemble` a line for each.  `to_codes`, `to_names` and, with an account, `rewrite`
exchange names and codes; `price` tells what codes are worth for a corpus.  All take bytes, bytearray, a contiguous
memoryview or an mmap with any number of pickles in a row (`steps`: one), and raise `MalformedPickleError`.
"""

__all__ = [
    "Event",
    "MalformedPickleError",
    "Price",
    "Prices",
    "Rewritten",
    "Scan",
    "Step",
    "Tally",
    "Use",
    "disassemble",
    "plausible",
    "price",
    "rewrite",
    "scan",
    "steps",
    "tally",
    "to_codes",
    "to_names",
    "walk",
]

from extreg.errors import MalformedPickleError
from extreg.pickles.dis import disassemble
from extreg.pickles.pricing import Price, Prices, price
from extreg.pickles.rewriting.rewriter import Rewritten, rewrite, to_codes, to_names
from extreg.pickles.scanner import Scan, scan
from extreg.pickles.tally import Tally, Use, tally
from extreg.pickles.walking.events import Event
from extreg.pickles.walking.opcodes import Step, steps
from extreg.pickles.walking.sniff import plausible
from extreg.pickles.walking.walker import walk
