"""`extreg diff`."""

import json

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.once]


@pytest.fixture
def released(repository):
    """A repository with a release 1.0, and a working file that has one more live code."""
    repository.git("tag", "1.0")
    repository.add('5000 = "shop:New"')
    return repository


def test_the_working_file_is_compared_with_a_revision(released):
    done = released.extreg("diff", "1.0", check=False)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("old: 1.0:registry.toml (")
    assert lines[2:5] == [
        "5000  added as live: shop:New",
        "new readers, old writers: load everything",
        "old readers, new writers: cannot load 5000",
    ]
    assert lines[5].startswith("verdict: readers-first: deploy readers before writers")


def test_paths_and_names_within_a_revision_mean_what_they_say(released):
    (released.folder / "copy.toml").write_text(released.text)
    assert released.extreg("diff", "copy.toml", "registry.toml").stdout.endswith(
        "verdict: identical: there is nothing to deploy\n"
    )
    released.git("mv", "registry.toml", "codes.toml")
    released.git("commit", "-q", "-m", "rename")
    same = released.extreg("diff", "1.0:registry.toml", "HEAD:codes.toml")  # there is no registry.toml now
    assert "5000  added" not in same.stdout
    done = released.extreg("diff", "1.0", "--registry", "codes.toml", check=False)
    assert done.returncode == 2
    assert "1.0 is a commit, but there is no file ./codes.toml in it" in done.stderr


def test_the_json_form_says_the_same(released):
    found = json.loads(released.extreg("diff", "1.0", "--format", "json", check=False).stdout)
    assert found["version"] == 1
    assert found["verdict"] == "readers-first"
    assert found["unread_by_old"] == [5000]
    assert found["changes"] == [
        {
            "code": 5000,
            "kinds": ["added"],
            "old": None,
            "new": {"state": "live", "target": "shop:New", "former": [], "aliases": []},
            "words": "added as live: shop:New",
        }
    ]


def test_a_staged_addition_is_safe(repository):
    repository.add('5000 = "shop:New"', table="load-only")
    done = repository.extreg("diff", "main")
    assert done.stdout.endswith("verdict: any-order: deploy readers and writers in any order\n")


@pytest.mark.parametrize("name", ["1.9", "--upload-pack=x", "nothing.toml", "1.9:registry.toml"])
def test_what_is_neither_a_file_nor_a_revision_is_an_error_that_says_so(repository, name):
    done = repository.extreg("diff", "--", name, check=False)
    assert done.returncode == 2
    assert "is neither a file nor a git revision" in done.stderr


def test_a_broken_registry_at_a_revision_is_named(repository):
    repository.write("format = 1\n[kodes]\n")
    repository.commit("broken")
    done = repository.extreg("diff", "main", "main~1", check=False)
    assert done.returncode == 2
    assert "main:registry.toml" in done.stderr
