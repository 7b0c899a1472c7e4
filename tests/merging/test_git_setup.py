"""`extreg git-setup`."""

import shlex
import subprocess
import sys

import pytest

from extreg.project.git_setup import own_command

pytestmark = [pytest.mark.slow, pytest.mark.once]


@pytest.fixture
def bare(make_repository):
    return make_repository("format = 1\n", driver=False)


def test_it_sets_up_what_a_merge_needs_and_says_so(bare):
    done = bare.extreg("git-setup")
    assert "registry.toml merge=extreg" in done.stdout
    assert "commit it" in done.stderr
    assert (bare.folder / ".gitattributes").read_text() == "registry.toml merge=extreg\n"
    driver = bare.git("config", "merge.extreg.driver").stdout
    assert " merge-driver --marker-size %L -- %O %A %B %P || " in driver
    assert bare.git("check-attr", "merge", "registry.toml").stdout == "registry.toml: merge: extreg\n"


def test_twice_is_once(bare):
    bare.extreg("git-setup")
    before = (bare.folder / ".gitattributes").read_bytes(), (bare.folder / ".git" / "config").read_bytes()
    done = bare.extreg("git-setup")
    assert "set:" not in done.stdout
    assert ((bare.folder / ".gitattributes").read_bytes(), (bare.folder / ".git" / "config").read_bytes()) == before


def test_check_changes_nothing_and_exits_with_1_until_all_is_in_place(bare):
    done = bare.extreg("git-setup", "--check", check=False)
    assert done.returncode == 1
    assert "missing: merge.extreg.driver" in done.stdout
    assert not (bare.folder / ".gitattributes").exists()
    bare.extreg("git-setup")
    assert bare.extreg("git-setup", "--check").returncode == 0


def test_other_lines_of_gitattributes_stay(bare):
    (bare.folder / ".gitattributes").write_bytes(b"*.toml text eol=lf\r\n*.png binary")
    bare.extreg("git-setup")
    expected = b"*.toml text eol=lf\r\n*.png binary\r\nregistry.toml merge=extreg\r\n"
    assert (bare.folder / ".gitattributes").read_bytes() == expected


def test_a_registry_of_another_name_in_a_folder_is_named_from_the_top(bare):
    folder = bare.folder / "my data"
    folder.mkdir()
    (folder / "codes.toml").write_text("format = 1\n")
    bare.extreg("git-setup", "--registry", "my data/codes.toml")
    assert (bare.folder / ".gitattributes").read_text() == '"/my data/codes.toml" merge=extreg\n'
    assert bare.git("check-attr", "merge", "my data/codes.toml").stdout.endswith(": merge: extreg\n")


def test_outside_of_a_repository_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "registry.toml").write_text("format = 1\n")
    command = [sys.executable, "-I", "-m", "extreg", "git-setup"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 2
    assert "is in no git work tree" in done.stderr


def test_the_command_for_git_is_one_that_runs_here(tmp_path):
    done = subprocess.run([*shlex.split(own_command()), "--version"], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("extreg ")


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
@pytest.mark.parametrize("folder", ["a[b]c", "a*", "what?", "back\\slash", 'a "b" [c] \\d', "#x", "!x", "-x", "größe"])
def test_a_folder_of_any_name_is_meant_and_no_other(bare, folder):
    for name in (folder, "abc"):
        (bare.folder / name).mkdir()
        (bare.folder / name / "codes.toml").write_text("format = 1\n")
    bare.extreg("git-setup", "--registry", f"./{folder}/codes.toml")
    named = [bare.git("check-attr", "-z", "merge", "--", f"{name}/codes.toml").stdout for name in (folder, "abc")]
    assert [text.split("\0")[2] for text in named] == ["extreg", "unspecified"]
    again = bare.extreg("git-setup", "--registry", f"./{folder}/codes.toml")
    assert "set:" not in again.stdout
