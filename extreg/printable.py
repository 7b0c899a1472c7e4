"""How text that came from elsewhere is shown: names, paths, messages of others, whatever a file or git gave."""

# Printable to `str.isprintable`, and yet invisible: the letters and marks among Unicode's Default_Ignorable_Code_Point
# (DerivedCoreProperties.txt).
_UNSEEN = frozenset(
    map(
        chr,
        (
            0x34F,
            *range(0x115F, 0x1161),
            *range(0x17B4, 0x17B6),
            *range(0x180B, 0x1810),
            0x3164,
            *range(0xFE00, 0xFE10),
            0xFFA0,
            *range(0xE0100, 0xE01F0),
        ),
    )
)


def printable(text: str, *, keep: str = "") -> str:
    """Return `text` with what a terminal would obey, or nobody would see, escaped as in Python source.

    Escaped are control characters, line and paragraph separators, what changes the direction of writing, characters
    without width, tags, halves of surrogate pairs, and spaces other than the ordinary one; not those in `keep`.
    """
    if text.isprintable() and (text.isascii() or _UNSEEN.isdisjoint(text)):
        return text
    return "".join(letter if letter in keep or _is_seen(letter) else _escaped(letter) for letter in text)


def _is_seen(letter: str) -> bool:
    return letter.isprintable() and letter not in _UNSEEN


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")
