"""The merge driver as git runs it: merge, rebase, cherry-pick, and everything that can go wrong."""

import os
import subprocess
import sys

import pytest

from extreg.registry.model import Registry

pytestmark = [pytest.mark.slow, pytest.mark.once]


def both_add(repository, ours: tuple[str, ...], theirs: tuple[str, ...]) -> None:
    """Let main and the branch topic, which is left checked out, each add rows."""
    repository.branch("topic")
    repository.add(*theirs)
    repository.commit("topic")
    repository.switch("main")
    repository.add(*ours)
    repository.commit("main")
    repository.switch("topic")


def test_additions_of_both_sides_merge_and_keep_their_comments(repository):
    ours = ('# for the front page\n4712 = "shop:A"', '5000 = "shop:B"  # of main')
    theirs = ('# asked for by accounting\n4713 = "shop:C"  # of topic',)
    both_add(repository, ours, theirs)
    repository.change("# The shop's codes.", "# The shop's codes, all of them.")
    repository.commit("comment")
    repository.git("merge", "-q", "main")
    assert repository.text == (
        "# The shop's codes, all of them.\n"
        "format = 1\n"
        "\n"
        "[codes]\n"
        '300 = "shop:Money"   # since 1.0\n'
        '4711 = "shop:Order"\n'
        "# for the front page\n"
        '4712 = "shop:A"\n'
        "# asked for by accounting\n"
        '4713 = "shop:C"  # of topic\n'
        '5000 = "shop:B"  # of main\n'
        "\n"
        "[load-only]\n"
        '9000 = "shop:Basket"\n'
        "\n"
        "[retired]\n"
        '9120 = "shop:Cart"\n'
    )


def test_the_same_line_added_twice_is_one_line_with_the_comment_of_our_side(repository):
    both_add(repository, ('5000 = "shop:A"  # main says',), ('5000 = "shop:A"',))
    done = repository.git("merge", "-q", "main")
    assert repository.text.count("shop:A") == 1
    assert '5000 = "shop:A"  # main says\n' in repository.text or "found no place: # main says" in done.stderr


@pytest.mark.parametrize("operation", ["main into topic", "topic into main", "rebase", "cherry-pick"])
def test_main_keeps_its_code_whichever_way_the_branches_come_together(repository, operation):
    both_add(repository, ('5000 = "shop:Main"  # main\'s',), ("# topic's own\n5000 = \"shop:Topic\"  # topic's",))
    if operation == "topic into main":
        repository.switch("main")
        done = repository.git("merge", "-q", "topic")
    elif operation == "cherry-pick":
        repository.switch("main")
        done = repository.git("cherry-pick", "topic")
    else:
        done = repository.git(*(("rebase", "main") if operation == "rebase" else ("merge", "-q", "main")))
    registry = repository.registry
    code = registry.code("shop:Topic")
    assert registry.codes[5000] == "shop:Main"
    assert f"shop:Topic has code {code} from now on, not 5000" in done.stderr
    assert "which is upstream" in done.stderr
    lines = repository.text.splitlines()
    place = lines.index(f'{code} = "shop:Topic"  # topic\'s')
    assert lines[place - 1] == "# topic's own"  # the comments went along
    assert '5000 = "shop:Main"  # main\'s' in lines


def test_later_commits_of_a_rebased_branch_follow_the_renumbering_of_an_earlier_one(repository):
    both_add(repository, ('5000 = "shop:Main"',), ('5000 = "shop:Topic"',))
    text = repository.text.replace('5000 = "shop:Topic"\n', "").replace(
        "[load-only]\n", '[load-only]\n5000 = "shop:Topic"\n'
    )
    repository.write(text)
    repository.commit("demote")
    repository.git("rebase", "main")
    registry = repository.registry
    assert registry.codes[5000] == "shop:Main"
    assert "shop:Topic" in registry.load_only.values()


def test_an_unpushed_main_that_pulls_gives_way_to_the_remote_one(repository):
    both_add(repository, ('5000 = "shop:Local"',), ('5000 = "shop:Remote"',))
    repository.git("update-ref", "refs/remotes/origin/main", "topic")
    repository.switch("main")
    repository.git("merge", "-q", "origin/main")
    assert repository.registry.codes[5000] == "shop:Remote"


def test_a_branch_that_the_setting_names_is_upstream_before_main(repository):
    both_add(repository, ('5000 = "shop:Main"',), ('5000 = "shop:Release"',))
    repository.git("config", "extreg.upstream", "topic")
    repository.git("merge", "-q", "main")
    assert repository.registry.codes[5000] == "shop:Release"


def test_two_named_upstreams_that_disagree_are_a_contradiction(repository):
    both_add(repository, ('5000 = "shop:Main"',), ('5000 = "shop:Release"',))
    repository.git("config", "extreg.upstream", "topic")
    repository.git("config", "--add", "extreg.upstream", "main")
    done = repository.git("merge", "-q", "main", check=False)
    assert done.returncode == 1
    assert "both are published" in done.stderr
    assert '<<<<<<< ours\n5000 = "shop:Release"\n=======\n5000 = "shop:Main"\n>>>>>>> theirs\n' in repository.text


def test_a_contradiction_leaves_markers_around_its_rows_alone(repository):
    both_add(repository, ('5000 = "shop:A"',), ('6000 = "shop:B"',))
    for branch, place in (("topic", "left"), ("main", "right")):
        repository.switch(branch)
        repository.change('4711 = "shop:Order"\n', f'4711 = "shop.{place}:Order"\n')
        repository.write(repository.text + '\n[moved]\n4711 = ["shop:Order"]\n')
        repository.commit("move")
    done = repository.git("merge", "-q", "topic", check=False)
    assert done.returncode == 1
    assert "code 4711: it is shop.right:Order (live) in ours and shop.left:Order (live) in theirs" in done.stderr
    markers = '<<<<<<< ours\n4711 = "shop.right:Order"\n=======\n4711 = "shop.left:Order"\n>>>>>>> theirs\n'
    assert markers in repository.text
    Registry.parse(repository.text.replace(markers, '4711 = "shop.left:Order"\n'))
    assert "shop:A" in repository.text
    assert "shop:B" in repository.text
    assert repository.git("ls-files", "-u").stdout


def test_a_criss_cross_merge_has_an_ancestor_without_markers(repository):
    both_add(repository, ('5000 = "shop:Main"',), ('5000 = "shop:Topic"', '6000 = "shop:B"'))
    tips = [repository.git("rev-parse", branch).stdout.strip() for branch in ("main", "topic")]
    repository.git("merge", "-q", tips[0])
    repository.switch("main")
    repository.git("merge", "-q", tips[1])
    for branch in ("main", "topic"):
        repository.switch(branch)
        repository.add(f'70{len(branch)}0 = "shop:{branch}"')
        repository.commit("on")
    assert len(repository.git("merge-base", "--all", "main", "topic").stdout.split()) == 2
    repository.git("merge", "-q", "main")
    registry = repository.registry
    assert registry.codes[5000] == "shop:Main"
    assert {"shop:Topic", "shop:B", "shop:main", "shop:topic"} <= set(registry.codes.values())
    assert len(registry.codes) == 7


def test_a_file_created_on_both_sides_merges(make_repository):
    repository = make_repository("format = 1\n")
    repository.git("rm", "-q", "registry.toml")
    repository.git("commit", "-q", "--amend", "-m", "nothing yet")
    for branch, row in (("topic", '5000 = "shop:A"'), ("other", '6000 = "shop:B"')):
        repository.branch(branch)
        repository.write(f"format = 1\n\n[codes]\n{row}\n")
        repository.commit("first")
    repository.git("merge", "-q", "topic")
    assert dict(repository.registry.codes) == {5000: "shop:A", 6000: "shop:B"}


def test_windows_line_ends_stay(make_repository):
    repository = make_repository('format = 1\r\n\r\n[codes]\r\n300 = "shop:Money"\r\n')
    for branch, row in (("topic", '5000 = "shop:A"'), ("main", '5000 = "shop:B"')):
        if branch == "topic":
            repository.branch(branch)
        else:
            repository.switch(branch)
        repository.write(repository.text + row + "\r\n")
        repository.commit("more")
    repository.git("merge", "-q", "topic")
    assert repository.text.count("\r\n") == repository.text.count("\n") == 6
    assert repository.registry.codes[5000] == "shop:B"


@pytest.mark.parametrize(
    "broken", ['format = 1\n[codes]\n5000 = "no target"\n', "\x00\x01 not TOML", "", "<<<<<<< a\n=======\n>>>>>>> b\n"]
)
@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_side_that_is_no_registry_leaves_a_conflict_with_markers(tmp_path, broken, side):
    sound = 'format = 1\n\n[codes]\n300 = "shop:Money"\n'
    texts = {"base": sound, "ours": sound + '5000 = "shop:A"\n', "theirs": sound + '6000 = "shop:B"\n', side: broken}
    done = drive(tmp_path, texts)
    assert done.returncode == 1
    assert "cannot be merged by meaning" in done.stderr
    text = (tmp_path / "ours").read_text()
    assert text.count("<<<<<<<") >= 1
    assert text.count(">>>>>>>") >= 1
    kept = 'shop:B"' if side == "ours" else 'shop:A"'
    assert kept in text


@pytest.mark.parametrize("base", ["", "\x00", "<<<<<<< a\nformat = 1\n=======\nformat = 1\n[codes]\n>>>>>>> b\n"])
def test_an_ancestor_that_is_no_registry_is_no_obstacle(tmp_path, base):
    head = 'format = 1\n\n[codes]\n300 = "shop:Money"\n'
    texts = {"base": base, "ours": head + '5000 = "shop:A"\n', "theirs": head + '6000 = "shop:B"\n'}
    done = drive(tmp_path, texts)
    assert done.returncode == 0, done.stderr
    assert set(Registry.parse((tmp_path / "ours").read_text()).codes) == {300, 5000, 6000}


def test_a_contradiction_that_no_single_row_shows_is_explained_all_the_same(tmp_path):
    """Either side's range is sound; both together overlap, so that neither answer goes with the other's changes."""
    head = "format = 1\n\n[ranges.{0}]\nfirst = {1}\nlast = {2}\n"
    texts = {"base": "format = 1\n", "ours": head.format("a", 1000, 1999), "theirs": head.format("b", 1500, 2500)}
    done = drive(tmp_path, texts)
    assert done.returncode == 1
    assert "overlap in part" in done.stderr
    text = (tmp_path / "ours").read_text()
    assert "ranges.a" in text
    assert "ranges.b" in text
    assert "<<<<<<<" in text


def test_bytes_that_are_not_text_survive_the_conflict(tmp_path):
    texts = {"base": "format = 1\n", "ours": "format = 1\n# caf\udce9\n", "theirs": "format = 1\n[codes]\n"}
    assert drive(tmp_path, texts).returncode == 1
    assert b"caf\xe9" in (tmp_path / "ours").read_bytes()


def test_a_file_that_is_not_there_is_a_failure_that_git_does_not_take_for_a_conflict(tmp_path):
    done = drive(tmp_path, {"base": "", "ours": ""})
    assert done.returncode == 129
    assert "cannot merge registry.toml" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
def test_a_killed_driver_leaves_both_sides_between_markers(tmp_path):
    """The interpreter is killed at the moment it starts to think, right after the files were read."""
    sound = 'format = 1\n\n[codes]\n300 = "shop:Money"\n'
    for name, text in (("base", sound), ("ours", sound + '5000 = "shop:A"\n'), ("theirs", sound + '5000 = "shop:B"\n')):
        (tmp_path / name).write_text(text)
    program = (
        "import os, signal\n"
        "from extreg.merging import driver as merging\n"
        "merging._merged = lambda *args, **named: os.kill(os.getpid(), signal.SIGKILL)\n"
        "merging.drive('base', 'ours', 'theirs', 'registry.toml')\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], cwd=tmp_path, capture_output=True)
    assert done.returncode < 0
    text = (tmp_path / "ours").read_text()
    assert text.startswith("<<<<<<< ours\n")
    assert text.endswith(">>>>>>> theirs\n")
    assert '5000 = "shop:A"' in text
    assert '5000 = "shop:B"' in text


def drive(folder, texts: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    for name, text in texts.items():
        (folder / name).write_bytes(os.fsencode(text) if "\udce9" in text else text.encode())
    command = [sys.executable, "-I", "-m", "extreg", "merge-driver", "base", "ours", "theirs", "registry.toml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done
