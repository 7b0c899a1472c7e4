"""The journal: counts and cursors are one thing, whoever kills the scan and whenever; and nobody else reads it."""

import json
import os
import random
import signal
import stat
import subprocess
import sys
import time

import pytest

from .conftest import by_code, census, command, counted, database, ran, small

pytestmark = [pytest.mark.slow, pytest.mark.once]


@pytest.fixture
def sessions(project):
    database(project / "data" / "sessions.db", map(small, range(6_000)))
    for number in range(40):
        (project / "data" / f"{number}.pickle").write_bytes(small(number) * 3)
    (project / "data" / "torn").write_bytes(small(1)[:-1])
    return project


def test_the_journal_of_a_finished_scan_is_its_census(sessions):
    done = ran("scan", "--journal", "c.json", "--format", "json", "data", cwd=sessions, code=2)
    told, found = json.loads(done.stdout), census(sessions / "c.json")
    fields = ("code", "files", "pickles", "references", "bytes")
    assert found["codes"] == [{field: row[field] for field in fields} for row in told["codes"]]
    assert [row["code"] for row in found["codes"]] == [301]
    assert found["codes"][0]["pickles"] == 600 + 3 * 4
    for key in ("pickles", "bytes", "holding", "unresolved"):
        assert found[key] == told[key]
    assert (found["faults"], found["holding"]) == (1, 41)
    assert found["started"] <= found["finished"]


def leaves(value):
    if isinstance(value, dict):
        yield from (leaf for item in value.values() for leaf in leaves(item))
    elif isinstance(value, list):
        yield from (leaf for item in value for leaf in leaves(item))
    else:
        yield value


def test_it_is_for_its_owner_alone_and_holds_ints_and_strings_only(sessions):
    (sessions / "c.json").touch(mode=0o644)
    ran("scan", "--journal", "c.json", "data", cwd=sessions, code=2)
    assert stat.S_IMODE((sessions / "c.json").stat().st_mode) == 0o600
    assert {type(leaf) for leaf in leaves(census(sessions / "c.json"))} == {int, str}
    assert [path.name for path in sessions.iterdir() if "extreg" in path.name] == []


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_killed_again_and_again_it_counts_nothing_twice_and_misses_nothing(sessions, jobs):
    whole = ("scan", "data", "--journal", "whole.json")
    ran(*whole, cwd=sessions, code=2)
    line = ("scan", "data", "--journal", "c.json", "--rate", "4000/s", "--jobs", jobs)
    chance, seen = random.Random(jobs), [0]
    for _ in range(6):
        with subprocess.Popen(command(*line), cwd=sessions, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            while process.poll() is None and cells_in(sessions / "c.json") <= seen[-1]:
                time.sleep(0.02)
            time.sleep(chance.random() / 3)
            process.kill()
        seen.append(cells_in(sessions / "c.json"))
    assert len(set(seen)) > 3
    ran("scan", "data", "--journal", "c.json", "--jobs", jobs, cwd=sessions, code=2)
    assert counted(census(sessions / "c.json")) == counted(census(sessions / "whole.json"))


def cells_in(path):
    """How many cells a journal has counted; it may not be there yet, or hold nothing yet."""
    return census(path)["cells"] if path.exists() and path.stat().st_size else 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_interrupted_it_goes_on_from_the_last_cell(sessions):
    line = ("scan", "data", "--journal", "c.json", "--rate", "1000/s")
    with subprocess.Popen(command(*line), cwd=sessions, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not (sessions / "c.json").exists() or not (sessions / "c.json").stat().st_size:
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate()
    assert (process.returncode, stderr) == (130, b"extreg: interrupted\n")
    assert "finished" not in census(sessions / "c.json")
    ran("scan", "data", "--journal", "c.json", cwd=sessions, code=2)
    ran("scan", "data", "--journal", "whole.json", cwd=sessions, code=2)
    assert counted(census(sessions / "c.json")) == counted(census(sessions / "whole.json"))


def test_a_finished_one_is_told_and_not_taken_again(sessions):
    first = ran("scan", "data", "--journal", "c.json", cwd=sessions, code=2)
    (sessions / "data" / "new").write_bytes(by_code())
    again = ran("scan", "data", "--journal", "c.json", cwd=sessions, code=2)
    assert again.stdout == first.stdout
    assert "c.json is finished" in again.stderr
    assert "rm c.json" in again.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["other"], "the journal of another scan: of places"),
        (["data", "other"], "the journal of another scan: of places"),
        (["data", "--code", "300"], "and this one is of --code 300"),
        (["data", "--carve"], "and this one is of --carve"),
        (["data", "--part", "1/2"], "of part 1/1, and this one is of part 1/2"),
    ],
)
def test_the_journal_of_another_scan_is_refused(sessions, line, said):
    (sessions / "other").mkdir()
    ran("scan", "data", "--journal", "c.json", cwd=sessions, code=2)
    before = (sessions / "c.json").read_bytes()
    done = ran("scan", *line, "--journal", "c.json", cwd=sessions, code=2)
    assert said in done.stderr
    assert "--journal" in done.stderr
    assert (sessions / "c.json").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "version: this extreg reads 1, and it is of version 2"),
        ({"kind": "holiday"}, "it is no census"),
        ({"codes": [{"code": "300"}]}, "codes[0].code: expected a number from 0 on, found '300'"),
        ({"codes": [{"code": True}]}, "codes[0].code: expected a number from 0 on, found True"),
        ({"pickles": -1}, "pickles: expected a number from 0 on, found -1"),
        ({"started": "yesterday"}, "yesterday"),
        ({"places": None}, "places: expected an array, found None"),
    ],
)
def test_what_is_no_census_of_this_version_is_refused_and_stays(sessions, change, said):
    ran("scan", "data", "--journal", "c.json", cwd=sessions, code=2)
    (sessions / "c.json").write_text(json.dumps({**census(sessions / "c.json"), **change}))
    before = (sessions / "c.json").read_bytes()
    for line in (("scan", "data", "--journal", "c.json"), ("census", "merge", "c.json")):
        done = ran(*line, cwd=sessions, code=2)
        assert said in done.stderr
    assert (sessions / "c.json").read_bytes() == before


def test_some_other_file_is_not_taken_for_a_journal(sessions):
    (sessions / "notes.txt").write_text("notes")
    ran("scan", "data", "--journal", "notes.txt", cwd=sessions, code=2)
    assert (sessions / "notes.txt").read_text() == "notes"
    ran("scan", "data", "--journal", "nowhere/c.json", cwd=sessions, code=2)


@pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")
def test_two_scans_do_not_share_one(sessions):
    line = command("scan", "data", "--journal", "c.json", "--rate", "1000/s")
    with subprocess.Popen(line, cwd=sessions, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not (sessions / "c.json").exists() or not (sessions / "c.json").stat().st_size:
            time.sleep(0.05)
        done = ran("scan", "data", "--journal", "c.json", cwd=sessions, code=2)
        process.kill()
    assert done.stderr.startswith("extreg: another scan writes c.json\n")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="resources of POSIX")
def test_a_full_disk_loses_nothing_that_was_counted(sessions):
    """Files may have no more bytes than the journal has in its first seconds."""
    script = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))\n"
    script += "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    script += "from extreg.cli.main import main; sys.exit(main(sys.argv[1:]))"
    line = [sys.executable, "-c", script, "scan", "data", "--journal", "c.json"]
    done = subprocess.run(line, cwd=sessions, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "cannot write c.json: File too large" in done.stderr, done.stderr
    assert [path.name for path in sessions.iterdir() if "extreg-new" in path.name] == []
    ran("scan", "data", "--journal", "c.json", cwd=sessions, code=2)
    ran("scan", "data", "--journal", "whole.json", cwd=sessions, code=2)
    assert counted(census(sessions / "c.json")) == counted(census(sessions / "whole.json"))
