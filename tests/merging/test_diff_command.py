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


ORDER = "class Order:\n    def __init__(self, number):\n        self.number = number\n"
VERSIONED = "from extreg.reduce import versioned\n\ndef up(state):\n    return state\n\n\n@versioned({})\n" + ORDER
STEPS = {
    "1": ORDER,
    "2": VERSIONED.format("2, {1: up}, write=1, reverse={1: up}"),
    "3": VERSIONED.format("2, {1: up}"),
    "computed": VERSIONED.format("2, {1: up}, write=len(str(up))"),
}
FIRST = "release the class of 4711 with write= (and reverse=) first, and without in a later release"


@pytest.fixture
def rollout(make_repository):
    """A repository with a release for each step of a state's new version."""
    repository = make_repository('format = 1\n\n[codes]\n4711 = "shop:Order"\n', driver=False)
    for tag, source in STEPS.items():
        (repository.folder / "shop.py").write_text(source)
        repository.commit(tag)
        repository.git("tag", tag)
    return repository


@pytest.mark.parametrize(
    ("old", "new", "words", "verdict"),
    [
        ("1", "2", "no version became version 2 (writing 1, undecorated)", "any-order"),
        ("2", "3", "version 2 (writing 1, undecorated) became version 2", "any-order"),
        ("1", "3", "no version became version 2", "readers-first"),
        ("3", "1", "version 2 became no version", "writers-first"),
        ("2", "1", "version 2 (writing 1, undecorated) became no version", "any-order"),
        ("1", "1", "", "identical"),
    ],
)
def test_versions_of_states_are_told_and_judged(rollout, old, new, words, verdict):
    done = rollout.extreg("diff", old, new, check=False)
    lines = done.stdout.splitlines()
    assert [line for line in lines if "state of" in line] == ([f"4711  state of shop:Order: {words}"] if words else [])
    assert lines[-1].startswith(f"verdict: {verdict}: ")
    assert done.returncode == (0 if verdict in ("any-order", "identical") else 1)
    assert (FIRST in lines[-1]) is (verdict == "readers-first")
    if verdict == "writers-first":
        assert lines[-1].endswith("give what reads 4711 its version and its migrations back")


def test_the_working_tree_counts_where_no_revision_is_given(rollout):
    (rollout.folder / "shop.py").write_text(STEPS["3"])
    assert "state of shop:Order: no version became version 2" in rollout.extreg("diff", "1", check=False).stdout


def test_a_version_that_is_computed_is_not_judged(rollout):
    done = rollout.extreg("diff", "3", "computed", check=False)
    assert "4711  state of shop:Order: version 2 became a version that is computed" in done.stdout
    assert "not judged: the state of shop:Order" in done.stdout
    assert done.returncode == 1


def test_json_has_the_versions_too(rollout):
    found = json.loads(rollout.extreg("diff", "1", "3", "--format", "json", check=False).stdout)
    assert found["versions"] == [
        {
            "code": 4711,
            "target": "shop:Order",
            "old": "no version",
            "new": "version 2",
            "unread_by_new": False,
            "unread_by_old": True,
        }
    ]
    assert found["unread_by_old"] == [4711]
    assert found["changes"] == []


def test_copies_of_a_registry_have_no_sources_beside_them(rollout):
    (rollout.folder / "copy.toml").write_text((rollout.folder / "registry.toml").read_text())
    done = rollout.extreg("diff", "copy.toml", check=False)
    assert "state of" not in done.stdout
