"""Properties of the text layer, over registries and texts that nobody would write by hand."""

from typing import Any

import pytest
import tomli
import tomli_w

from extreg.registry.document import Document
from extreg.registry.invariants import MAX_CODE
from extreg.registry.model import Registry
from extreg.registry.ranges import Range
from extreg.registry.target import is_module
from extreg.registry.toml.edit import edit
from extreg.registry.toml.render import render
from extreg.registry.toml.statements import statements

pytestmark = pytest.mark.slow

hypothesis = pytest.importorskip("hypothesis", reason="pip install hypothesis")
given = hypothesis.given
settings = hypothesis.settings
st = pytest.importorskip("hypothesis.strategies", reason="pip install hypothesis")

# Any part that a target may have: quotes, number signs, brackets and letters of every script among them.
PART = st.text(st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc"), exclude_characters=":."), min_size=1)
DOTTED = st.lists(PART.filter(is_module), min_size=1, max_size=3).map(".".join)
TARGET = st.builds("{}:{}".format, DOTTED, DOTTED)
CODE = st.one_of(st.integers(1, 300), st.integers(1, MAX_CODE))


@st.composite
def registries(draw: st.DrawFn) -> Registry:
    codes = draw(st.lists(CODE, unique=True, max_size=12))
    rows: dict[str, dict[int, str]] = {"codes": {}, "load_only": {}, "retired": {}}
    live: set[str] = set()
    for code in codes:
        target = draw(TARGET)
        table = draw(st.sampled_from([name for name in rows if name != "codes" or target not in live]))
        rows[table][code] = target
        live.update([target] if table == "codes" else [])
    moved = {code: tuple(draw(st.lists(TARGET, min_size=1, max_size=3))) for code in codes if draw(st.booleans())}
    taken = {target for table in ("codes", "load_only") for target in rows[table].values()}
    others = draw(st.lists(TARGET.filter(lambda name: name not in taken), unique=True, max_size=6))
    aliases = {code: tuple(others[at : at + 2]) for at, code in zip(range(0, len(others), 2), codes, strict=False)}
    # No new name is an old one, nor above or below it, so that there are no circles.
    renamed = {
        **draw(st.dictionaries(DOTTED.map("old.{}".format), DOTTED.map("new.{}".format), max_size=2)),
        **draw(st.dictionaries(TARGET.map("old.{}".format), TARGET.map("new.{}".format), max_size=2)),
    }
    ranges = {}
    if draw(st.booleans()):
        first = draw(st.integers(65536, MAX_CODE))
        owners = tuple(draw(st.lists(DOTTED, max_size=2)))
        span = Range(first=first, last=draw(st.integers(first, MAX_CODE)), allocate="next", modules=owners)
        ranges[draw(st.text(st.characters(exclude_categories=("Cs",)), min_size=1))] = span
    return Registry(
        include=tuple(draw(st.lists(DOTTED, max_size=2))),
        ranges=ranges,
        moved=moved,
        aliases=aliases,
        renamed=renamed,
        reducers=draw(st.dictionaries(TARGET, TARGET, max_size=2)),
        **rows,
    )


@given(registries())
def test_render_then_parse_is_identity(registry: Registry) -> None:
    text = render(registry)
    assert Registry.parse(text) == registry
    assert render(Registry.parse(text)) == text


@given(registries(), registries())
def test_an_edit_means_what_was_wanted(before: Registry, after: Registry) -> None:
    """Whatever the difference between two registries: rows of codes and names, from any state to any other."""
    wanted = Registry(
        include=before.include,
        ranges=before.ranges,
        reducers=before.reducers,
        codes=after.codes,
        load_only=after.load_only,
        retired=after.retired,
        moved=after.moved,
        aliases=after.aliases,
        renamed=after.renamed,
    )
    document = Document.read(render(before))
    text = edit(document, wanted)
    assert Registry.parse(text) == wanted
    kept = [line for line in document.text.splitlines() if line.startswith(("format", "include", "[ranges"))]
    assert [line for line in text.splitlines() if line in kept] == kept


TOML_SCRAP = st.sampled_from(
    ['"', "'", '"""', "'''", "[", "]", "[[", "{", "}", "=", ".", ",", "#", "\n", "\r\n", "\r", " ", "\\", "240", "a"]
)


@settings(max_examples=500)
@given(st.one_of(st.text(), st.lists(st.one_of(TOML_SCRAP, st.text(max_size=3)), max_size=30).map("".join)))
def test_the_scanner_takes_any_text(text: str) -> None:
    """It never raises, and its statements stand in order, on whole lines, each on the line that it names."""
    end = 0
    for found in statements(text):
        assert end <= found.start < found.end <= len(text)
        assert found.start <= found.key[0] <= found.key[1] <= found.end
        assert found.line == text.count("\n", 0, found.start) + 1
        assert found.start == 0 or text[found.start - 1] == "\n"
        assert found.end == len(text) or text[found.end - 1] == "\n"
        assert (found.path == ()) == (found.kind == "broken")
        end = found.end


@settings(max_examples=500)
@given(st.one_of(st.text(), st.lists(st.one_of(TOML_SCRAP, st.text(max_size=3)), max_size=30).map("".join)))
def test_reading_takes_any_text(text: str) -> None:
    """It never raises, and a fault has a line of the text."""
    document = Document.read(text)
    assert (document.registry is None) == bool(document.problems)
    for problem in document.problems:
        assert problem.line is not None
        assert 1 <= problem.line <= text.count("\n") + 1
        assert str(problem).isprintable()


NAME = st.one_of(
    st.text(max_size=4), st.sampled_from(["codes", "240", "a.b", 'quo"te', "back\\slash", "", "new\nline"])
)
NAMES = NAME.filter(lambda name: not any("\ud800" <= letter <= "\udfff" for letter in name))
LEAF = st.one_of(NAMES, st.integers(-9, 9), st.booleans(), st.lists(st.one_of(NAMES, st.integers()), max_size=3))
TREE = st.recursive(LEAF, lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=12)


def leaves(tree: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    if not isinstance(tree, dict):
        return {path}
    return {leaf for name, inner in tree.items() for leaf in leaves(inner, (*path, name))}


@given(st.dictionaries(NAMES, TREE, max_size=4), st.booleans(), st.booleans())
def test_the_scanner_agrees_with_tomli_on_the_keys(tree: dict[str, Any], multiline: bool, crlf: bool) -> None:
    """In every valid text: the keys that have values, and the values themselves."""
    text = tomli_w.dumps(tree, multiline_strings=multiline)
    text = text.replace("\r", "").replace("\n", "\r\n") if crlf else text
    read = tomli.loads(text)
    found = list(statements(text))
    assert not [statement for statement in found if statement.kind == "broken"]
    assert {statement.path for statement in found if statement.kind == "pair"} == leaves(read)
    for statement in found:
        if statement.kind == "pair":
            value: Any = read
            for part in statement.path:
                value = value[part]
            assert tomli.loads("v = " + text[slice(*statement.value)])["v"] == value
