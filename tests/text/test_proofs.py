"""Whatever goes wrong in an edit or a sort, its proof refuses the result: each fault is put in by force."""

import re
from dataclasses import replace

import pytest

from extreg.errors import ExtregError
from extreg.registry import life
from extreg.registry.document import Document
from extreg.registry.toml import edit as editing
from extreg.registry.toml import sort as sorting
from extreg.registry.toml.edit import edit
from extreg.registry.toml.sort import sort_rows

TEXT = """\
# What our pickles are made of.
format = 1
include = ["paylib"]  # theirs

# Money never loses its codes.
[ranges.hot]
first = 1
last = 255
modules = ["shop.hot"]

[codes]
# orders, since 2019
240 = "shop.models:Order"  # in every basket
241 = "shop.models:Line"
# written by the night job
300 = "shop.jobs:Report"  # nightly

[load-only]
310 = "shop.old:Cart"  # until the archive is rewritten

[moved]
241 = ["shop.lines:Line"]

[retired]
# a mistake
299 = "shop.old:Gone"

[aliases]
240 = ["shop._fast:Order"]  # the compiled one

[renamed]
"shop.util" = "shop.tools"  # since 2021

[reducers]
"shop.models:Order" = "shop.models:reduce"
# the end
"""


def swapped(text, one, other):
    return text.replace(one, "\0").replace(other, one).replace("\0", other)


# Each takes the text that would be right and spoils it.
FAULTS = {
    "a row is lost": lambda text: re.sub(r"241 = .*Line\"\n", "", text, count=1),
    "a row means another target": lambda text: text.replace("shop.models:Line", "shop.models:Lime"),
    "two rows change their codes": lambda text: swapped(text, "240 =", "300 ="),
    "a row stands in another table": lambda text: text.replace("[load-only]\n", "").replace("[moved]", "[load-only]"),
    "a row stands twice": lambda text: text.replace("[load-only]\n", '[load-only]\n240 = "shop.models:Order"\n'),
    "a spent code is forgotten": lambda text: text.replace('299 = "shop.old:Gone"\n', ""),
    "a record of a move is lost": lambda text: text.replace('241 = ["shop.lines:Line"]\n', ""),
    "an alias is lost": lambda text: re.sub(r"240 = \[.*\n", "", text),
    "an alias is another": lambda text: text.replace("shop._fast", "shop._slow"),
    "a rename is lost": lambda text: re.sub(r"\"shop.util\" = .*\n", "", text),
    "a rename leads elsewhere": lambda text: text.replace("shop.tools", "shop.tool"),
    "a comment behind a rename is lost": lambda text: text.replace("  # since 2021", ""),
    "a comment behind an alias is lost": lambda text: text.replace("  # the compiled one", ""),
    "an include is lost": lambda text: text.replace('include = ["paylib"]  # theirs\n', ""),
    "a range is another": lambda text: text.replace("last = 255", "last = 254"),
    "a reducer is lost": lambda text: re.sub(r'"shop.models:Order" = .*\n', "", text),
    "it is no TOML any more": lambda text: text.replace("[codes]", "[codes"),
    "it is cut off": lambda text: text[: len(text) // 2],
    "it is empty": lambda text: "",
    "a comment above a row is lost": lambda text: text.replace("# orders, since 2019\n", ""),
    "a comment behind a row is lost": lambda text: text.replace("  # in every basket", ""),
    "a comment at the end is lost": lambda text: text.replace("# the end\n", ""),
    "a comment of another kind of row is lost": lambda text: text.replace("  # theirs", ""),
    "comments change places": lambda text: swapped(text, "# orders, since 2019", "# written by the night job"),
    "a comment comes from nowhere": lambda text: text.replace("[codes]\n", "[codes]\n# 999 was here\n"),
    "another row is laid out anew": lambda text: text.replace("last = 255", "last   =   255"),
}
# What only an edit of such rows can lose.
OF_THE_MOVED = {
    "what is said of a row that changes its table": lambda text: text.replace("  # nightly", ""),
    "the row that changes its table": lambda text: re.sub(r"300 = .*\n", "", text),
    "the change itself": lambda text: TEXT,
}


def changed(registry):
    registry, _ = life.add(registry, "shop.models:Basket")
    registry = life.demote(registry, 300)
    return life.retire(registry, 310)


def test_the_right_edit_is_accepted():
    document = Document.read(TEXT)
    made = edit(document, changed(document.require()))
    assert Document.read(made).registry == changed(document.require())
    assert '300 = "shop.jobs:Report"  # nightly\n' in made


def test_a_new_table_goes_behind_what_is_added_to_the_last_one():
    document = Document.read('format = 1\n\n[reducers]\n"a:B" = "a:b"\n')
    registry = document.require()
    wanted = replace(registry, reducers={**registry.reducers, "a:C": "a:c"}, renamed={"d": "e"})
    assert edit(document, wanted) == document.text + '"a:C" = "a:c"\n\n[renamed]\nd = "e"\n'


@pytest.mark.parametrize("fault", [*FAULTS, *OF_THE_MOVED])
def test_a_wrong_edit_is_refused(monkeypatch, fault):
    document = Document.read(TEXT)
    right = editing._Page.rewritten
    spoil = {**FAULTS, **OF_THE_MOVED}[fault]

    def rewritten(self, old, new):
        text = right(self, old, new)
        assert spoil(text) != text, "the fault is none"
        return spoil(text)

    monkeypatch.setattr(editing._Page, "rewritten", rewritten)
    with pytest.raises(ExtregError, match="could not be proved safe, so nothing was written"):
        edit(document, changed(document.require()))


@pytest.mark.parametrize("spoiled", ["include", "ranges", "renamed", "reducers"])
def test_a_wrong_edit_of_settings_is_refused(monkeypatch, spoiled):
    document = Document.read(TEXT)
    registry = document.require()
    monkeypatch.setattr(editing, "edit_settings", lambda text, old, new, end: text)
    wanted = replace(registry, **{spoiled: {"include": (), "ranges": {}, "renamed": {}, "reducers": {}}[spoiled]})
    with pytest.raises(ExtregError, match="could not be proved safe"):
        edit(document, wanted)


UNSORTED = swapped(TEXT, '240 = "shop.models:Order"  # in every basket', '300 = "shop.jobs:Report"  # nightly')
OF_ORDER = {
    "nothing is sorted": lambda text: UNSORTED,
    "a comment goes with another row": lambda text: swapped(text, "# orders, since 2019", "# written by the night job"),
    "a row is laid out anew": lambda text: text.replace('241 = "', '241   = "'),
    "a blank line is lost": lambda text: text.replace("\n\n[codes]", "\n[codes]"),
}


def test_the_right_order_is_accepted():
    assert sort_rows(Document.read(UNSORTED)) == swapped(TEXT, "# orders, since 2019", "# written by the night job")


@pytest.mark.parametrize("fault", [*FAULTS, *OF_ORDER])
def test_a_wrong_order_is_refused(monkeypatch, fault):
    right = sorting._sorted
    spoil = {**FAULTS, **OF_ORDER}[fault]
    document = Document.read(UNSORTED)

    def spoiling(text, rows):
        made = right(text, rows)
        # The tables are sorted one after the other, and the last has the last word.
        return spoil(made) if "retired" in rows[0].path else made

    assert spoil(sort_rows(document)) != sort_rows(document), "the fault is none"
    monkeypatch.setattr(sorting, "_sorted", spoiling)
    with pytest.raises(ExtregError, match="cannot be sorted safely"):
        sort_rows(document)
