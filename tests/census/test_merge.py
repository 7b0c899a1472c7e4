"""Censuses in parts: they add up to the whole, and what is missing, twice, or of something else is named."""

import json
import stat

import pytest

from .conftest import by_code, census, counted, database, ran, small

pytestmark = [pytest.mark.slow, pytest.mark.once]

PARTS = 7


@pytest.fixture
def parts(project):
    database(project / "data" / "sessions.db", map(small, range(500)))
    for number in range(60):
        (project / "data" / f"{number}.pickle").write_bytes(small(number) * 2 + by_code())
    (project / "data" / "torn").write_bytes(small(1)[:-1])
    ran("scan", "--journal", "whole.json", cwd=project, code=2)
    for part in range(1, PARTS + 1):
        done = ran("scan", "--part", f"{part}/{PARTS}", "--journal", f"{part}.json", cwd=project, code=None)
        assert done.returncode in (0, 2)
    return project


def names(*left_out):
    return [f"{part}.json" for part in range(1, PARTS + 1) if part not in left_out]


def test_the_parts_of_a_scan_add_up_to_the_whole(parts):
    assert all(census(parts / name)["cells"] < 561 for name in names())
    ran("census", "merge", *names(), "--output", "sum.json", cwd=parts, code=2)
    assert counted(census(parts / "sum.json")) == counted(census(parts / "whole.json"))
    assert stat.S_IMODE((parts / "sum.json").stat().st_mode) == 0o600
    assert census(parts / "sum.json")["started"] == min(census(parts / name)["started"] for name in names())
    done = ran("census", "merge", "--format", "json", *reversed(names()), cwd=parts, code=2)
    assert counted(json.loads(done.stdout)) == counted(census(parts / "whole.json"))
    text = ran("census", "merge", *names(), cwd=parts, code=2)
    assert f"{parts / 'data'}: 561 cells\n" in text.stdout
    assert "torn" in text.stderr


def test_a_part_that_is_missing_stands_twice_or_is_of_something_else_is_named(parts):
    cases = {
        "part 3/7 is missing": names(3),
        "parts 3/7, 5/7 are missing": names(3, 5),
        "part 2/7 stands twice: in 2.json and in again.json": [*names(), "again.json"],
        "2.json is given twice": [*names(), "2.json"],
        "whole.json is part 1/1 and 1.json is part 1/7": [*names(), "whole.json"],
        "other.json was cut from other places than 1.json": [*names(7), "other.json"],
        "code.json looked for something else than 1.json: with --code 300": [*names(7), "code.json"],
        "open.json is not finished": [*names(7), "open.json"],
        "changed.json is part 7/7 and 1.json is part 1/7, and they were cut differently": [*names(7), "changed.json"],
        "cannot read gone.json: No such file": [*names(7), "gone.json"],
        "whole.json and whole2.json are whole censuses of it": ["whole.json", "whole2.json"],
    }
    (parts / "again.json").write_bytes((parts / "2.json").read_bytes())
    (parts / "whole2.json").write_bytes((parts / "whole.json").read_bytes())
    (parts / "elsewhere").mkdir()
    (parts / "elsewhere" / "p").write_bytes(small(1))
    ran("scan", "elsewhere", "--part", "7/7", "--journal", "other.json", cwd=parts)
    ran("scan", "--code", "300", "--part", "7/7", "--journal", "code.json", cwd=parts, code=None)
    seventh = census(parts / "7.json")
    (parts / "changed.json").write_text(json.dumps({**seventh, "cut": "0" * 16}))
    del seventh["finished"]
    (parts / "open.json").write_text(json.dumps(seventh))
    for said, files in cases.items():
        done = ran("census", "merge", *files, "--output", "sum.json", cwd=parts, code=2)
        assert said in done.stderr, said
        assert done.stdout == ""
    assert not (parts / "sum.json").exists()


def test_whole_censuses_of_different_places_add_up(project):
    (project / "a").mkdir()
    (project / "b").mkdir()
    (project / "a" / "p").write_bytes(by_code() * 2)
    (project / "b" / "p").write_bytes(by_code() + small(1))
    for place in ("a", "b"):
        ran("scan", place, "--journal", f"{place}.json", cwd=project)
    ran("census", "merge", "a.json", "b.json", "--output", "sum.json", cwd=project)
    ran("scan", "a", "b", "--journal", "both.json", cwd=project)
    assert counted(census(project / "sum.json")) == counted(census(project / "both.json"))
    assert census(project / "sum.json")["codes"][0]["pickles"] == 3


def test_a_part_never_says_that_a_code_is_not_in_use(parts):
    (parts / "data" / "torn").unlink()
    for part in range(1, PARTS + 1):
        done = ran("scan", "--part", f"{part}/{PARTS}", "--code", "9999", cwd=parts)
        assert "not in use" not in done.stdout
        assert f"code 9999 is not in part {part}/{PARTS}" in done.stdout
    assert ran("scan", "--code", "9999", cwd=parts).stdout.startswith("code 9999 is not in use")


@pytest.mark.parametrize("part", ["0/7", "8/7", "1", "/7", "1/0", "a/b", "-1/7"])
def test_a_part_is_one_of_so_many(part, project):
    ran("scan", "data", "--part", part, cwd=project, code=2)
