"""`retire --census`: what a census has to be before it may say that a code is in use nowhere."""

import json
import os
import subprocess
import time
from datetime import datetime, timedelta, timezone

import pytest

from .conftest import REGISTRY, by_code, census, ran, small

pytestmark = [pytest.mark.slow, pytest.mark.once]

LIVE = REGISTRY.replace('\n[load-only]\n300 = "collections:Counter"\n', '300 = "collections:Counter"\n')


def git(folder, *arguments, date=None):
    names = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_AUTHOR_NAME": "n", "GIT_AUTHOR_EMAIL": "e@x"}
    names |= {"GIT_COMMITTER_NAME": "n", "GIT_COMMITTER_EMAIL": "e@x"}
    if date is not None:
        names |= {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    subprocess.run(["git", *arguments], cwd=folder, env={**os.environ, **names}, check=True, capture_output=True)


def ago(**units):
    return (datetime.now(timezone.utc) - timedelta(**units)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def demoted(project):
    """A project whose code 300 was live once, and was demoted an hour ago; the census was started after that."""
    (project / "registry.toml").write_text(LIVE)
    git(project, "init", "-q", "-b", "main")
    git(project, "add", "registry.toml", "pyproject.toml")
    git(project, "commit", "-q", "-m", "live", date=ago(days=9))
    ran("demote", "300", cwd=project)
    git(project, "commit", "-q", "-a", "-m", "demoted", date=ago(hours=1))
    (project / "data" / "p").write_bytes(small(1))
    ran("scan", "--journal", "c.json", cwd=project)
    return project


def retired(folder, code=0, *more):
    before = (folder / "registry.toml").read_bytes()
    done = ran("retire", "300", *more, "--census", "c.json", cwd=folder, code=code)
    assert ((folder / "registry.toml").read_bytes() == before) == bool(code)
    return done


def edited(folder, **changes):
    (folder / "c.json").write_text(json.dumps({**census(folder / "c.json"), **changes}))


def test_a_census_that_covers_everything_and_has_none_lets_it_go(demoted):
    done = retired(demoted)
    assert done.stdout == 'retired 300 = "collections:Counter"\n'
    assert "c.json counts it in none of 1 cells" in done.stderr
    assert "every program that writes pickles ran the release that demoted it" in done.stderr


def test_one_that_counts_the_code_does_not(demoted):
    (demoted / "data" / "q").write_bytes(by_code() * 3)
    ran("scan", "--journal", "again.json", cwd=demoted)
    os.replace(demoted / "again.json", demoted / "c.json")
    assert "code 300 (collections:Counter) is in use: c.json counts it in 3 pickles" in retired(demoted, 1).stderr


def test_one_that_does_not_cover_all_places_names_those(demoted):
    (demoted / "pyproject.toml").write_text(
        '[tool.extreg]\nplaces = ["data", "more", "redis://user:secret@cache.example/0"]\n'
    )
    stderr = retired(demoted, 1).stderr
    assert f"c.json does not cover {demoted / 'more'}, redis://user@cache.example/0, where" in stderr
    assert "secret" not in stderr


def test_a_folder_above_covers_what_is_below(demoted):
    (demoted / "data" / "below").mkdir()
    (demoted / "pyproject.toml").write_text('[tool.extreg]\nplaces = ["data/below"]\n')
    retired(demoted)


def test_without_places_nobody_can_say(demoted):
    (demoted / "pyproject.toml").write_text("[tool.extreg]\n")
    assert "[tool.extreg] places" in retired(demoted, 2).stderr


def test_one_that_is_unfinished_or_a_part_is_refused(demoted):
    whole = census(demoted / "c.json")
    del whole["finished"]
    (demoted / "c.json").write_text(json.dumps(whole))
    assert "is not finished" in retired(demoted, 1).stderr
    edited(demoted, finished=whole["started"], share=2, shares=3)
    assert "c.json is part 2/3 of a census" in retired(demoted, 1).stderr


@pytest.mark.parametrize(
    ("name", "data"), [("opaque", b"\x00\x01\x02 nobody knows"), ("torn", small(1)[:-1])], ids=["opaque", "torn"]
)
def test_one_that_did_not_understand_everything_is_refused_and_names_the_first(demoted, name, data):
    (demoted / "data" / name).write_bytes(data)
    (demoted / "c.json").unlink()
    ran("scan", "--journal", "c.json", "--allow-opaque", cwd=demoted, code=None)
    stderr = retired(demoted, 1).stderr
    assert "did not understand everything" in stderr
    assert f"the first in data/{name}" in stderr


def test_an_empty_place_proves_nothing(demoted):
    (demoted / "data" / "p").unlink()
    (demoted / "c.json").unlink()
    ran("scan", "--journal", "c.json", cwd=demoted)
    assert f"c.json found nothing at all in {demoted / 'data'}" in retired(demoted, 1).stderr


def test_one_that_was_started_before_the_commit_is_refused_with_both_times(demoted):
    started = ago(hours=2)
    edited(demoted, started=started)
    stderr = retired(demoted, 1).stderr
    assert f"c.json was started at {started}, before code 300 was demoted: commit " in stderr
    assert "every program that writes pickles must have run the release that demoted it" in stderr


def test_what_was_demoted_on_a_branch_counts_from_its_merge_on(project):
    (project / "registry.toml").write_text(LIVE)
    git(project, "init", "-q", "-b", "main")
    git(project, "add", "registry.toml", "pyproject.toml")
    git(project, "commit", "-q", "-m", "live", date=ago(days=9))
    git(project, "checkout", "-q", "-b", "branch")
    ran("demote", "300", cwd=project)
    git(project, "commit", "-q", "-a", "-m", "demoted", date=ago(days=8))
    git(project, "checkout", "-q", "main")
    git(project, "merge", "-q", "--no-ff", "-m", "merged", "branch", date=ago(hours=1))
    (project / "data" / "p").write_bytes(small(1))
    ran("scan", "--journal", "c.json", cwd=project)
    started = census(project / "c.json")["started"]
    edited(project, started=ago(days=2))
    assert "before code 300 was demoted" in retired(project, 1).stderr
    edited(project, started=started)
    retired(project)


def test_one_from_the_future_says_that_a_clock_is_wrong(demoted):
    edited(demoted, started=ago(hours=-2))
    assert "a clock is wrong" in retired(demoted, 2).stderr


def test_a_demotion_that_is_not_committed_is_none(demoted):
    ran("promote", "300", cwd=demoted)
    git(demoted, "commit", "-q", "-a", "-m", "live again")
    ran("demote", "300", cwd=demoted)
    assert "is load-only here, and live in commit" in retired(demoted, 1).stderr
    git(demoted, "commit", "-q", "-a", "-m", "demoted again")
    edited(demoted, started=ago(minutes=5))
    assert "before code 300 was demoted" in retired(demoted, 1).stderr
    time.sleep(1.1)
    (demoted / "c.json").unlink()
    ran("scan", "--journal", "c.json", cwd=demoted)
    retired(demoted)


def test_without_git_nobody_can_say(demoted, tmp_path):
    os.rename(demoted / ".git", demoted / ".not")
    assert "nobody can say when code 300 was demoted" in retired(demoted, 2).stderr
    os.rename(demoted / ".not", demoted / ".git")
    before = (demoted / "registry.toml").read_bytes()
    line = ("retire", "300", "--census", "c.json")
    done = ran(*line, cwd=demoted, code=2, env={"PATH": str(tmp_path)})
    assert "cannot run git" in done.stderr
    assert (demoted / "registry.toml").read_bytes() == before


def test_a_shallow_clone_cannot_say(demoted):
    git(demoted, "clone", "-q", "--depth", "1", f"file://{demoted}", "clone")
    clone = demoted / "clone"
    (clone / "data").mkdir()
    (clone / "data" / "p").write_bytes(small(1))
    ran("scan", "--journal", "c.json", cwd=clone)
    stderr = retired(clone, 2).stderr
    assert "this clone is shallow" in stderr
    assert "git fetch --unshallow" in stderr


def test_a_census_of_one_code_speaks_of_that_alone(demoted):
    (demoted / "c.json").unlink()
    ran("scan", "--code", "301", "--journal", "c.json", cwd=demoted)
    assert "c.json looked for code 301 alone, not for 300" in retired(demoted, 1).stderr
    (demoted / "c.json").unlink()
    ran("scan", "--code", "300", "--journal", "c.json", cwd=demoted)
    retired(demoted)


def test_several_codes_are_retired_together_or_not_at_all(demoted):
    (demoted / "data" / "q").write_bytes(by_code(301))
    ran("demote", "301", cwd=demoted)
    git(demoted, "commit", "-q", "-a", "-m", "demoted", date=ago(minutes=1))
    (demoted / "c.json").unlink()
    ran("scan", "--journal", "c.json", cwd=demoted)
    assert "code 301" in retired(demoted, 1, "301").stderr


def test_now_and_a_census_exclude_each_other(demoted):
    assert "not allowed with" in retired(demoted, 2, "--now").stderr


def test_no_census_at_all_is_named(demoted):
    ran("retire", "300", "--census", "none.json", cwd=demoted, code=2)
    ran("retire", "300", "--census", "registry.toml", cwd=demoted, code=2)
