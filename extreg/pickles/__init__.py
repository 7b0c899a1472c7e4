"""Bytes: pickle bytes to findings, bytes to bytes.  Pure; nothing here executes a pickle or imports what it names.

`walk` yields an `Event` for each opcode that refers to a global or a code, and for PROTO, FRAME and STOP; `scan`
counts them; `disassemble` yields a line for every opcode.  `to_codes` and `to_names` exchange names and codes; `price`
tells what codes are worth for a corpus.  All take bytes, bytearray, a contiguous memoryview or an mmap with any number
of pickles in a row, and raise `MalformedPickleError`.

Each name is loaded when it is first used (PEP 562).
"""

from extreg.lazy import lazy as _lazy

__all__ = [
    "Event",
    "MalformedPickleError",
    "Price",
    "Prices",
    "Scan",
    "disassemble",
    "price",
    "scan",
    "to_codes",
    "to_names",
    "walk",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from extreg.errors import MalformedPickleError
    from extreg.pickles.dis import disassemble
    from extreg.pickles.pricing import Price, Prices, price
    from extreg.pickles.rewriting.rewriter import to_codes, to_names
    from extreg.pickles.scanner import Scan, scan
    from extreg.pickles.walking.events import Event
    from extreg.pickles.walking.walker import walk

_LAZY = {
    "Event": "extreg.pickles.walking.events",
    "MalformedPickleError": "extreg.errors",
    "Price": "extreg.pickles.pricing",
    "Prices": "extreg.pickles.pricing",
    "Scan": "extreg.pickles.scanner",
    "disassemble": "extreg.pickles.dis",
    "price": "extreg.pickles.pricing",
    "scan": "extreg.pickles.scanner",
    "to_codes": "extreg.pickles.rewriting.rewriter",
    "to_names": "extreg.pickles.rewriting.rewriter",
    "walk": "extreg.pickles.walking.walker",
}

__getattr__, __dir__ = _lazy(globals(), _LAZY)
