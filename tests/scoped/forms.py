"""Ways to write ``module.name(*arguments)`` as a pickle, by hand."""

import pickle
import struct


def text(value):
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def lined(value):
    return b"V" + value.encode("raw_unicode_escape") + b"\n"


def literals(arguments, protocol=4):
    """The arguments, one after the other, without what would need a global."""
    return b"".join(
        text(value)
        if type(value) is str and protocol >= 4
        else pickle.dumps(value, min(protocol, 1) if protocol < 2 else protocol)[2 if protocol >= 2 else 0 : -1]
        if type(value) is not bytes
        else b"C" + bytes([len(value)]) + value
        for value in arguments
    )


def framed(body):
    return b"\x80\x04\x95" + struct.pack("<Q", len(body)) + body


def by_global(module, name, *arguments):
    return f"c{module}\n{name}\n".encode() + b"(" + literals(arguments, 0) + b"tR."


def by_global_2(module, name, *arguments):
    return b"\x80\x02" + f"c{module}\n{name}\n".encode() + b"(" + literals(arguments, 0) + b"tR."


def by_stack_global(module, name, *arguments):
    body = text(module) + b"\x94" + text(name) + b"\x94\x93\x94(" + literals(arguments) + b"t\x94R\x94."
    return framed(body)


def without_memo(module, name, *arguments):
    return b"\x80\x05" + text(module) + text(name) + b"\x93(" + literals(arguments) + b"tR."


def by_inst(module, name, *arguments):
    return b"(" + literals(arguments, 0) + f"i{module}\n{name}\n".encode() + b"."


def by_obj(module, name, *arguments):
    return b"(" + f"c{module}\n{name}\n".encode() + literals(arguments, 0) + b"o."


def by_newobj(module, name, *arguments):
    return b"\x80\x02" + f"c{module}\n{name}\n".encode() + b"(" + literals(arguments, 0) + b"t\x81."


def through_the_memo(module, name, *arguments):
    """Names are memoized, taken off, covered by others, and fetched again."""
    memo = lined(module) + b"p2\n0" + lined(name) + b"p3\n0" + lined("decimal") + b"p0\n0" + lined("Decimal") + b"p1\n0"
    return memo + b"g2\ng3\n\x93(" + literals(arguments, 0) + b"tR."


def through_binget(module, name, *arguments):
    body = text(name) + b"\x94" + text(module) + b"\x94h\x00\x93(" + literals(arguments) + b"tR."
    return framed(body)


def behind_a_permitted_one(module, name, *arguments):
    """The operands of a permitted global stand right in front of the STACK_GLOBAL, as data."""
    decoy = text("decimal") + text("Decimal")
    return (
        b"\x80\x04"
        + text(module)
        + text(name)
        + b"\x96"
        + struct.pack("<Q", len(decoy))
        + decoy
        + b"0\x93("
        + (literals(arguments) + b"tR.")
    )


def with_dup_and_pop(module, name, *arguments):
    return b"\x80\x04" + text(module) + b"20" + text(name) + b"N0\x93(" + literals(arguments) + b"tR."


def after_a_permitted_one(module, name, *arguments):
    """A permitted object is made first: it must not be."""
    first = text("decimal") + b"\x94" + text("Decimal") + b"\x94\x93\x94" + text("1") + b"\x85R0"
    return framed(first + text(module) + text(name) + b"\x93(" + literals(arguments) + b"tR.")


def in_a_short_frame(module, name, *arguments):
    """The frame ends within an opcode."""
    body = text(module) + text(name) + b"\x93(" + literals(arguments) + b"tR."
    return b"\x80\x04\x95" + struct.pack("<Q", 3) + body


FORMS = (
    by_global,
    by_global_2,
    by_stack_global,
    without_memo,
    by_inst,
    by_obj,
    by_newobj,
    through_the_memo,
    through_binget,
    behind_a_permitted_one,
    with_dup_and_pop,
    after_a_permitted_one,
    in_a_short_frame,
)


def by_code(code, *arguments):
    """The same, by extension code."""
    if code < 1 << 8:
        width = b"\x82" + struct.pack("<B", code)
    else:
        width = b"\x83" + struct.pack("<H", code) if code < 1 << 16 else b"\x84" + struct.pack("<i", code)
    return b"\x80\x04" + width + b"(" + literals(arguments) + b"tR."
