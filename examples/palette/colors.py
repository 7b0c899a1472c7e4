"""A color, and how it is reduced to one small int."""


class Color:
    """Eight bits each of red, green and blue."""

    __slots__ = ("blue", "green", "red")

    def __init__(self, red: int, green: int, blue: int) -> None:
        self.red, self.green, self.blue = red, green, blue

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Color) and pack(self) == pack(other)

    def __hash__(self) -> int:
        return pack(self)

    def __repr__(self) -> str:
        return f"Color({self.red}, {self.green}, {self.blue})"


def pack(color: Color) -> int:
    """Return the color as one int: 0xRRGGBB."""
    return color.red << 16 | color.green << 8 | color.blue


def unpack(packed: int) -> Color:
    """Return the color that `pack` made `packed` of. This is what a pickle names, so this has a code."""
    return Color(packed >> 16, packed >> 8 & 255, packed & 255)


def reduce_color(color: Color) -> tuple[object, ...]:
    """Reduce a color for pickle: a constructor and its arguments (PEP 307)."""
    return unpack, (pack(color),)


def parse(css: str) -> Color:
    """Return the color that ``#rrggbb`` stands for."""
    return unpack(int(css.removeprefix("#"), 16))


def reduce_readably(color: Color) -> tuple[object, ...]:
    """Reduce a color to its CSS notation, for pickles that people look into."""
    return parse, (f"#{pack(color):06x}",)
