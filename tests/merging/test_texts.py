"""The texts of a merge: markers taken apart and put in, and edits of everything that is not a code."""

from dataclasses import replace

import pytest

from extreg.errors import ExtregError
from extreg.merging.combine import combine
from extreg.merging.markers import conflict, has_markers, take_apart
from extreg.merging.merge import merge
from extreg.registry.document import Document
from extreg.registry.model import Registry
from extreg.registry.ranges import Range
from extreg.registry.toml.edit import edit

HEAD = "# The shop's codes.\nformat = 1\n"
CODES = '\n[codes]\n300 = "shop:Money"\n'
BILLING = Range(first=40000, last=40999, modules=("billing",))


def changed(text: str, **what) -> str:
    document = Document.read(text)
    new = replace(document.require(), **what)
    result = edit(document, new)
    assert Registry.parse(result) == new
    return result


def test_an_include_is_added_grown_and_taken_away():
    one = changed(HEAD + CODES, include=("paylib",))
    assert one == HEAD + 'include = ["paylib"]\n' + CODES
    two = changed(one.replace('"]', '"]  # ours'), include=("paylib", "banklib"))
    assert 'include = ["paylib", "banklib"]  # ours\n' in two
    assert changed(one, include=("banklib",)) == one.replace("paylib", "banklib")
    assert changed(one, include=()) == HEAD + CODES


def test_a_list_over_several_lines_keeps_its_comments_when_it_grows():
    text = HEAD + 'include = [\n  "a",  # first\n  "b",  # second\n]\n' + CODES
    assert "# first" in changed(text, include=("a", "b", "c"))


def test_a_range_is_added_changed_and_taken_away():
    one = changed(HEAD + CODES, ranges={"billing": BILLING})
    block = '\n[ranges.billing]\nfirst = 40000\nlast = 40999\nallocate = "hash"\nmodules = ["billing"]\n'
    assert one == HEAD + block + CODES
    wider = replace(BILLING, last=41999, modules=("billing", "tax"))
    two = changed(one.replace("last = 40999", "last = 40999  # for now"), ranges={"billing": wider})
    assert "last = 41999  # for now\n" in two
    assert 'modules = ["billing", "tax"]\n' in two
    assert changed(one, ranges={}) == HEAD + CODES


def test_a_range_that_relies_on_defaults_gets_only_the_key_that_differs():
    text = HEAD + "\n[ranges.a]\nfirst = 1000\nlast = 1999\n" + CODES
    assert changed(text, ranges={"a": Range(first=1000, last=1999, allocate="next")}) == text.replace(
        "last = 1999\n", 'last = 1999\nallocate = "next"\n'
    )


def test_a_built_in_range_may_be_declared_and_its_declaration_taken_away():
    wide = Range(first=256, last=99999)
    one = changed(HEAD + CODES, ranges={"default": wide})
    assert "[ranges.default]\nfirst = 256\nlast = 99999\n" in one
    back = changed(one, ranges={})
    assert Registry.parse(back) == Registry.parse(HEAD + CODES)


def test_reducers_are_added_changed_and_taken_away():
    one = changed(HEAD + CODES, reducers={"shop:Money": "shop:reduce"})
    assert one == HEAD + CODES + '\n[reducers]\n"shop:Money" = "shop:reduce"\n'
    two = changed(one.replace('ce"\n', 'ce"  # fast\n'), reducers={"shop:Money": "shop:r2", "shop:A": "shop:r"})
    assert two.endswith('"shop:Money" = "shop:r2"  # fast\n"shop:A" = "shop:r"\n')
    assert "shop:Money" not in changed(one, reducers={}).partition("[reducers]")[2]


def test_everything_changes_at_once_with_windows_line_ends():
    text = (HEAD + CODES).replace("\n", "\r\n")
    result = changed(
        text,
        include=("a",),
        ranges={"billing": BILLING},
        reducers={"shop:Money": "shop:r"},
        codes={300: "shop:Money", 40001: "billing:Bill"},
        load_only={400: "shop:A"},
    )
    assert result.count("\n") == result.count("\r\n")


def test_sides_of_a_conflict_are_taken_apart():
    text = "a\n<<<<<<< HEAD\nb\n||||||| base\nc\n=======\nd\n>>>>>>> other\ne\n"
    assert take_apart(text, "f")[:3] == ("a\nb\ne\n", "a\nc\ne\n", "a\nd\ne\n")
    without = "a\n<<<<<<< HEAD\nb\n=======\nd\n>>>>>>> other\ne\n"
    assert take_apart(without, "f")[:3] == ("a\nb\ne\n", None, "a\nd\ne\n")


def test_longer_markers_within_a_conflict_belong_to_its_base():
    inner = "<<<<<<<<< x\n1\n=========\n2\n>>>>>>>>> y\n"
    text = f"<<<<<<< HEAD\nb\n||||||| base\n{inner}=======\nd\n>>>>>>> other\n"
    assert take_apart(text, "f").base == inner


@pytest.mark.parametrize("size", [7, 12])
def test_what_is_put_between_markers_is_what_comes_out(size):
    ours, theirs = "a\nb\nc\nd\n", "a\nx\nc\ny\n"
    text = conflict(ours, theirs, size=size)
    assert take_apart(text, "f")[:3] == (ours, None, theirs)
    assert text.count("<" * size + " ours\n") == 2


def test_equal_texts_and_unfinished_last_lines_still_get_markers():
    assert has_markers(conflict("a\n", "a\n"))
    assert take_apart(conflict("a\nb", "a\nc"), "f")[:3] == ("a\nb\n", None, "a\nc\n")


def test_an_equals_sign_row_in_a_string_is_no_marker():
    assert not has_markers("format = 1 # <<<<<<< not at the start\n")


def test_markers_that_do_not_fit_are_refused_with_their_line():
    with pytest.raises(ExtregError, match="f:2: the conflict markers do not fit together"):
        take_apart("<<<<<<< HEAD\n>>>>>>> other\n", "f")


def test_a_layout_that_rows_cannot_be_put_into_is_refused():
    base = "format = 1\ncodes = { 300 = 'shop:Money' }\n"
    ours = "format = 1\ncodes = { 300 = 'shop:Money', 400 = 'shop:A' }\n"
    theirs = "format = 1\ncodes = { 300 = 'shop:Money', 500 = 'shop:B' }\n"
    found = merge(*(Registry.parse(text) for text in (base, ours, theirs)))
    with pytest.raises(ExtregError):
        combine(Document.read(ours), Document.read(theirs), base, found, lines=lambda *_: None)


def test_rows_bring_their_comments_when_the_lines_do_not_merge():
    base = HEAD + CODES
    ours = base + '5000 = "shop:A"  # first\n'
    theirs = base + '# about B,\n# at length\n6000 = "shop:B"  # second\n# a comment of its own\n'
    found = merge(*(Registry.parse(text) for text in (base, ours, theirs)))
    combined = combine(Document.read(ours), Document.read(theirs), base, found, lines=lambda *_: None)
    assert combined.text == ours + '# about B,\n# at length\n6000 = "shop:B"  # second\n'
    assert combined.lost_comments == ("# a comment of its own",)
