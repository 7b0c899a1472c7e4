"""The JSON schema against the reader: what one accepts the other does, as far as a schema can say it."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
import tomli

from extreg.registry.document import Document

jsonschema = pytest.importorskip("jsonschema", reason="pip install jsonschema")

CASES = sorted((Path(__file__).parent.parent / "cases").rglob("*.toml"))
# What a schema of one key at a time cannot say: that two rows contradict each other.
BEYOND = (
    "duplicate-code",
    "duplicate-target",
    "deleted-code",
    "overlapping-ranges",
    "ambiguous-alias",
    "circular-rename",
)
ABOVE = "is above last"

HEAD = "format = 1\n"
MORE = [
    "",
    "format = 1",
    "format = 2",
    "format = '1'",
    HEAD + "include = ['paylib', 'a.b']",
    HEAD + "include = 'paylib'",
    HEAD + "include = ['a b']",
    HEAD + "[codes]\n0240 = 'a:b'",
    HEAD + "[codes]\n0 = 'a:b'",
    HEAD + "[codes]\n2147483647 = 'a:b'",
    HEAD + "[codes]\n2147483648 = 'a:b'",
    HEAD + "[codes]\n2147483639 = 'a:b'",
    HEAD + "[codes]\n9999999999 = 'a:b'",
    HEAD + "[codes]\n240 = 'a'",
    HEAD + "[codes]\n240 = 'a:b:c'",
    HEAD + "[codes]\n240 = 'a.b:c.<locals>.d'",
    HEAD + "[codes]\n240 = 'a..b:c'",
    HEAD + "[codes]\n240 = 'a:b c'",
    HEAD + "[codes]\n240 = 5",
    HEAD + "[retired]\n240 = ['a:b']",
    HEAD + "[codes]\n1 = 'a:c'\n[moved]\n1 = ['a:b']",
    HEAD + "[codes]\n1 = 'a:c'\n[moved]\n1 = []",
    HEAD + "[codes]\n1 = 'a:c'\n[moved]\n1 = 'a:b'",
    HEAD + "[codes]\n1 = 'a:c'\n[aliases]\n1 = ['a:b']",
    HEAD + "[codes]\n1 = 'a:c'\n[aliases]\n1 = []",
    HEAD + "[aliases]\nx = ['a:b']",
    HEAD + "[renamed]\n'a:b' = 'c:d'\n'a.b' = 'c.d'\na = 'b'",
    HEAD + "[renamed]\n'a:b' = 'c'",
    HEAD + "[renamed]\na = 'c:d'",
    HEAD + "[renamed]\na.b = 'c.d'",
    HEAD + "[renamed]\n'a b' = 'c'",
    HEAD + "[renamed]\n'a:b:c' = 'c:d'",
    HEAD + "[renamed]\na = 5",
    HEAD + "[renamed]\n'a:b ' = 'c:d'",
    HEAD + "[reducers]\n'a:b' = 'c:d'",
    HEAD + "[reducers]\nab = 'c:d'",
    HEAD + "[ranges.x]\nfirst = 1\nlast = 9\nallocate = 'next'\nmodules = ['a']",
    HEAD + "[ranges.x]\nfirst = 1",
    HEAD + "[ranges.x]\nfirst = 0\nlast = 9",
    HEAD + "[ranges.x]\nfirst = 1\nlast = 9\nallocate = 'random'",
    HEAD + "[ranges.x]\nfirst = 1\nlast = 9\nname = 'x'",
    HEAD + "ranges = 5",
    HEAD + "[code]\n1 = 'a:b'",
]


@pytest.fixture(scope="module")
def schema():
    path = Path(__import__("extreg").__file__).parent / "registry" / "toml" / "registry.schema.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(found)
    return jsonschema.Draft7Validator(found)


def texts():
    for path in CASES:
        with suppress(UnicodeDecodeError):  # no text, so no TOML
            yield path.parent.name, path.read_bytes().decode()
    yield from enumerate(MORE)


@pytest.mark.parametrize(("name", "text"), list(texts()))
def test_the_schema_agrees_with_the_reader(schema, name, text: str) -> None:
    try:
        data = tomli.loads(text)
    except (ValueError, RecursionError):  # tomli's limits too
        pytest.skip("no TOML, so no data to check")
    document = Document.read(text)
    refused = [problem for problem in document.problems if problem.rule not in BEYOND and ABOVE not in problem.message]
    assert schema.is_valid(data) == (not refused)


def test_the_command_prints_the_schema(extreg, schema) -> None:
    done = extreg("schema")
    assert done.returncode == 0
    assert json.loads(done.stdout) == schema.schema


def test_the_line_for_editors_is_a_comment_to_the_reader() -> None:
    assert Document.read("#:schema ./registry.schema.json\nformat = 1\n").problems == ()
