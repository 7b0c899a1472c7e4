"""Where rows stand: the fast index against the walk over all statements."""

import pytest

from extreg.registry.toml.statements import line_index, statements

hypothesis = pytest.importorskip("hypothesis", reason="pip install hypothesis")
given = hypothesis.given
st = pytest.importorskip("hypothesis.strategies", reason="pip install hypothesis")

PIECES = [
    '300 = "a:b"',
    "301 = 'a:b'  # a comment",
    '302="a:b"',
    "  303 = 'a:b'",
    'codes.304 = "a:b"',
    '"305" = "a:b"',
    "[codes]",
    "[ load-only ]",
    "# 306 = 'a:b'",
    "",
    "307 = '''a",
    "b:c'''",
    'moved = { 308 = ["a:b"] }',
    '309 = ["a:b",',
    '  "c:d"]',
    "310 = ",
    "broken",
    '311 = "a\\"b"',
    '312 = "a:b" x',
]


def slow_index(text: str) -> dict[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = {}
    for statement in statements(text):
        found.setdefault(statement.path, []).append(statement.line)
    return found


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_the_fast_index_of_lines_is_that_of_the_statements(pieces, end, finished) -> None:
    text = end.join(pieces) + (end if finished else "")
    assert line_index(text) == slow_index(text)
