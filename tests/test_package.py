"""The package as installed."""

import os
from importlib.metadata import requires, version
from pathlib import Path

import pytest

import extreg


def test_every_public_name_is_there():
    for name in extreg.__all__:
        assert getattr(extreg, name) is not None
    assert set(extreg.__all__) <= set(dir(extreg))
    with pytest.raises(AttributeError, match="has no attribute 'instal'"):
        extreg.instal  # noqa: B018


def test_the_version_is_that_of_the_distribution():
    assert extreg.__version__ == version("extreg")


def test_a_plain_install_needs_tomli_and_tomli_w_alone():
    plain = [line for line in requires("extreg") if "extra ==" not in line]
    assert sorted(line.partition(">")[0] for line in plain) == ["tomli", "tomli-w"]


@pytest.mark.skipif("EXTREG_TEST_INSTALLED" not in os.environ, reason="only where a built wheel is to be tested")
def test_what_is_tested_is_the_installed_wheel():
    assert "site-packages" in Path(extreg.__file__).parts
    assert (Path(extreg.__file__).parent / "py.typed").is_file()
