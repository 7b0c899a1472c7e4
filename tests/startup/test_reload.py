"""reload: the difference, all or nothing."""

import copyreg
import pickle
import sys
from collections import OrderedDict
from decimal import Decimal
from fractions import Fraction

import pytest

import extreg
from extreg.startup import rows

BEFORE = """
[codes]
240 = "collections:OrderedDict"
500 = "decimal:Decimal"
600 = "fractions:Fraction"
[load-only]
501 = "uuid:UUID"
"""
AFTER = """
[codes]
240 = "collections:OrderedDict"
501 = "uuid:UUID"
700 = "x:New"
[load-only]
500 = "decimal:Decimal"
[moved]
700 = ["y:New"]
[retired]
600 = "fractions:Fraction"
"""


def tables():
    return copyreg._extension_registry, copyreg._inverted_registry


def test_reload_applies_the_difference_and_says_which_codes_changed(write):
    path = write(BEFORE)
    installation = extreg.install(path)
    write(AFTER)
    assert installation.reload() == {600, 700}  # promoted and demoted codes mean what they meant
    assert tables() == (
        {("collections", "OrderedDict"): 240, ("uuid", "UUID"): 501, ("x", "New"): 700},
        {
            240: ("collections", "OrderedDict"),
            500: ("decimal", "Decimal"),
            501: ("uuid", "UUID"),
            600: ("extreg.retired", "600 was fractions:Fraction and is retired: see `extreg show 600`"),
            700: ("x", "New"),
        },
    )
    assert installation.registry == extreg.Registry.load(path)
    installation.uninstall()
    assert tables() == ({}, {})


def test_reload_without_a_change_changes_nothing(write):
    installation = extreg.install(write(BEFORE))
    before = [dict(table) for table in tables()]
    assert extreg.reload() == frozenset()
    assert [dict(table) for table in tables()] == before
    assert installation.installed


def test_two_codes_that_exchange_their_targets_exchange_them(write):
    path = write('[codes]\n300 = "collections:OrderedDict"\n301 = "decimal:Decimal"')
    extreg.install(path)
    assert pickle.loads(b"\x80\x04\x83\x2c\x01.") is OrderedDict
    write('[codes]\n300 = "decimal:Decimal"\n301 = "collections:OrderedDict"')
    assert extreg.reload() == {300, 301}
    assert pickle.loads(b"\x80\x04\x83\x2c\x01.") is Decimal
    assert b"\x83\x2d\x01" in pickle.dumps(OrderedDict(), 4)


def test_a_file_that_became_invalid_leaves_everything_as_it_was_and_raises(write):
    installation = extreg.install(write(BEFORE))
    before = [dict(table) for table in tables()]
    write("[codes]\n240 = 3")
    with pytest.raises(extreg.RegistryError):
        extreg.reload()
    assert [dict(table) for table in tables()] == before
    write(AFTER)
    installation.reload()
    assert copyreg._inverted_registry[700] == ("x", "New")


def test_a_file_that_is_gone_leaves_everything_as_it_was_and_raises(write):
    path = write(BEFORE)
    extreg.install(path)
    before = [dict(table) for table in tables()]
    path.unlink()
    with pytest.raises(extreg.ExtregError, match="cannot read"):
        extreg.reload()
    assert [dict(table) for table in tables()] == before


def test_reload_of_several_registries_is_all_or_nothing(write):
    extreg.install(write('[codes]\n300 = "a:B"', "one.toml"))
    extreg.install(write('[codes]\n400 = "c:D"', "two.toml"))
    before = [dict(table) for table in tables()]
    write('[codes]\n300 = "a:B"\n301 = "a:E"', "one.toml")
    write('[codes]\n400 = "c:D"\n300 = "x:Y"', "two.toml")
    with pytest.raises(extreg.ConflictError):
        extreg.reload()
    assert [dict(table) for table in tables()] == before
    write('[codes]\n400 = "c:D"\n302 = "x:Y"', "two.toml")
    assert extreg.reload() == {301, 302}


def test_reload_reads_included_packages_again(write, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    theirs = write('[codes]\n40000 = "paylib:Card"', "paylib/registry.toml")
    extreg.install(write('include = ["paylib"]'))
    theirs.write_text('format = 1\n[codes]\n40000 = "paylib:Card"\n40001 = "paylib:Bank"')
    assert extreg.reload() == {40001}


def test_reload_leaves_rows_of_others_alone(write):
    copyreg.add_extension("decimal", "Decimal", 500)
    installation = extreg.install(write(BEFORE))
    write('[codes]\n240 = "collections:OrderedDict"')
    installation.reload()
    copyreg.add_extension("mine", "Own", 900)
    assert copyreg._extension_registry == {
        ("decimal", "Decimal"): 500,
        ("collections", "OrderedDict"): 240,
        ("mine", "Own"): 900,
    }


def test_a_moved_class_is_loaded_from_its_new_place_though_it_was_cached(write):
    path = write('[codes]\n500 = "decimal:Decimal"')
    extreg.install(path)
    coded = b"\x80\x04\x83\xf4\x01."
    assert pickle.loads(coded) is Decimal
    write('[codes]\n500 = "fractions:Fraction"\n[moved]\n500 = ["decimal:Decimal"]')
    extreg.reload()
    assert pickle.loads(coded) is Fraction


def test_reload_empties_the_extension_cache(write):
    extreg.install(write(BEFORE))
    pickle.loads(b"\x80\x04\x82\xf0.")
    assert copyreg._extension_cache
    extreg.reload()
    assert copyreg._extension_cache == {}


def test_reload_parses_a_changed_file_once_and_an_unchanged_one_not_at_all(write, tmp_path, monkeypatch):
    """What that costs in time, benchmarks/startup.py says: a reload in relation to reading the same change."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.syspath_prepend(str(tmp_path))
    theirs = write('[codes]\n40000 = "paylib:Card"', "paylib/registry.toml")
    path = write('include = ["paylib"]\n[codes]\n300 = "a:B"')
    extreg.install(path)
    parsed = []
    parse = rows.parse
    monkeypatch.setattr(rows, "parse", lambda raw, file: parsed.append(file) or parse(raw, file))
    write('include = ["paylib"]\n[codes]\n300 = "a:B"\n301 = "a:C"')
    assert extreg.reload() == {301}
    assert parsed == [str(path)]
    extreg.reload()
    assert parsed == [str(path)]
    write('[codes]\n40000 = "paylib:Bank"', "paylib/registry.toml")
    assert extreg.reload() == {40000}
    assert parsed == [str(path), str(theirs)]


@pytest.mark.parametrize("file_first", [True, False])
def test_a_code_that_another_installation_still_means_otherwise_cannot_move(write, file_first):
    """As in install(): said, and nothing changed; it was passed over in silence where the file had come first."""
    file, value = write('[codes]\n300 = "a:A"'), extreg.Registry(codes={300: "a:A"})
    for source in (file, value) if file_first else (value, file):
        extreg.install(source)
    write('[codes]\n300 = "b:B"\n[moved]\n300 = ["a:A"]')
    with pytest.raises(extreg.ConflictError, match=r"300 = b:B .* against 300 = a:A"):
        extreg.reload()
    assert tables() == ({("a", "A"): 300}, {300: ("a", "A")})


@pytest.mark.parametrize("file_first", [True, False])
@pytest.mark.parametrize("now", ['[load-only]\n300 = "a:A"', '[retired]\n300 = "a:A"', ""])
def test_what_another_installation_still_has_stays(write, now, file_first):
    file, value = write('[codes]\n300 = "a:A"'), extreg.Registry(codes={300: "a:A"})
    for source in (file, value) if file_first else (value, file):
        extreg.install(source)
    write(now)
    assert extreg.reload() == frozenset()
    assert tables() == ({("a", "A"): 300}, {300: ("a", "A")})
