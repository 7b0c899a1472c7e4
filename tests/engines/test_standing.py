"""What stands in copyreg, in few words: the same for the same rows, whoever put them there and in whatever process."""

import copyreg
import os
import pickle
import re

import pytest

import extreg
from extreg.testing import isolated

REGISTRY = extreg.Registry.parse(
    """format = 1
[codes]
300 = "decimal:Decimal"
301 = "fractions:Fraction"
[load-only]
310 = "datetime:date"
[retired]
320 = "gone:Thing"
[aliases]
301 = ["elsewhere:Fraction"]
"""
)


@pytest.fixture(autouse=True)
def _alone():
    with isolated(empty=True):
        yield


def test_it_counts_what_is_written_and_what_is_read_only():
    before = extreg.standing()
    assert before.pid == os.getpid()
    with extreg.install(REGISTRY) as installation:
        now = extreg.standing()
        assert (now.codes - before.codes, now.load_only - before.load_only) == (2, 1)
        assert now == installation.standing
        assert re.fullmatch("[0-9a-f]{16}", now.fingerprint)
    assert extreg.standing() == before


def test_it_is_the_same_for_the_same_rows_whoever_put_them_there():
    with extreg.install(extreg.Registry(codes={300: "decimal:Decimal"}, load_only={301: "datetime:date"})):
        ours = extreg.standing()
    copyreg.add_extension("decimal", "Decimal", 300)
    copyreg._inverted_registry[301] = ("datetime", "date")
    try:
        assert extreg.standing() == ours
    finally:
        copyreg.remove_extension("decimal", "Decimal", 300)
        del copyreg._inverted_registry[301]


def test_it_does_not_depend_on_the_order_nor_on_how_many_registries_there_are():
    one, other = extreg.Registry(codes={300: "a:A"}), extreg.Registry(codes={299: "b:B"})
    with extreg.install(one), extreg.install(other):
        first = extreg.standing()
    with extreg.install(other), extreg.install(one):
        assert extreg.standing() == first
    assert extreg.install(extreg.Registry(codes={299: "b:B", 300: "a:A"})).standing == first


@pytest.mark.parametrize(
    "changed",
    [
        {"codes": {300: "decimal:Decimal"}},
        {"codes": {300: "decimal:Decimal", 302: "fractions:Fraction"}},
        {"codes": {300: "decimal:Other", 301: "fractions:Fraction"}},
        {"codes": {300: "decimal:Decimal"}, "load_only": {301: "fractions:Fraction"}},
        {"codes": {300: "decimal:Decimal", 301: "fractions:Fraction"}, "load_only": {302: "a:B"}},
        {"codes": {300: "decimal:Decimal", 301: "fractions:Fraction"}, "retired": {302: "a:B"}},
        {"codes": {300: "decimal:Decimal", 301: "fractions:Fraction"}, "aliases": {300: ("_decimal:Decimal",)}},
    ],
    ids=lambda changed: str(changed)[:60],
)
def test_another_row_is_another_fingerprint(changed):
    base = extreg.install(extreg.Registry(codes={300: "decimal:Decimal", 301: "fractions:Fraction"}))
    was = base.standing
    base.uninstall()
    assert extreg.install(extreg.Registry(**changed)).standing.fingerprint != was.fingerprint


def test_it_is_plain_values_and_one_line():
    standing = extreg.install(REGISTRY).standing
    assert pickle.loads(pickle.dumps(standing)) == standing
    assert [type(value) for value in standing] == [str, int, int, int]
    assert str(standing) == (
        f"process {os.getpid()}: 2 live and 1 load-only codes stand in copyreg, fingerprint {standing.fingerprint}"
    )


def test_a_row_with_any_key_does_not_break_it():
    copyreg._inverted_registry[400] = ("m\udcff", "é.n")
    copyreg._extension_registry["other", "half"] = 401
    try:
        assert extreg.standing().codes >= 1
    finally:
        del copyreg._inverted_registry[400]
        del copyreg._extension_registry["other", "half"]
