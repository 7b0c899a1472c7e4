"""A census of many small pickles in Redis and PostgreSQL: exact, killed again and again, in little memory."""

import random
import subprocess
import sys
import time

import pytest

from extreg.census.opened import opened

from ..places.conftest import postgres, redis_server  # noqa: F401
from .conftest import CODE, by_code, census, command, counted, ran, small

pytestmark = [pytest.mark.once, pytest.mark.skipif(sys.platform == "win32", reason="signals and resources of POSIX")]

MEMORY = 200 << 10  # in kilobytes
WATCHED = (
    "import resource, sys; from extreg.cli.main import main; code = main(sys.argv[1:]); "
    "print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(code)"
)


def fill_redis(server, count):
    client = server.client()
    for begin in range(0, count, 10_000):
        client.mset({f"session:{number}": small(number) for number in range(begin, min(begin + 10_000, count))})
    return server.url


def fill_postgres(url, count):
    import psycopg

    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE session (id bigserial PRIMARY KEY, data bytea)")
        with connection.cursor().copy("COPY session (data) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["bytea"])
            for number in range(count):
                copy.write_row((small(number),))
    return f"{url}#session.data"


@pytest.fixture(params=["redis", "postgres"])
def filled(request):
    """Fill a server of the kind, and return the place."""
    if request.param == "redis":
        server = request.getfixturevalue("redis_server")
        return lambda count: fill_redis(server, count)
    url = request.getfixturevalue("postgres")
    return lambda count: fill_postgres(url, count)


def cells_in(path):
    return census(path)["cells"] if path.exists() and path.stat().st_size else 0


def killed(line, journal, kills):
    """Run a scan and kill it so many times, each time when it has counted more; return how far it was each time."""
    chance, seen = random.Random(kills), [0]
    for _ in range(kills):
        with subprocess.Popen(
            line, cwd=journal.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while process.poll() is None and cells_in(journal) <= seen[-1]:
                time.sleep(0.01)
            time.sleep(chance.random() / 2)
            process.kill()
        seen.append(cells_in(journal))
    return seen


def check(place, project, count, *, kills, rate=()):
    """Hold the census of a place to what was put there, whole and killed; return its seconds and peak memory."""
    begun = time.monotonic()
    line = [sys.executable, "-c", WATCHED, "scan", place, "--journal", "whole.json"]
    done = subprocess.run(line, cwd=project, capture_output=True, text=True, check=True)
    seconds = time.monotonic() - begun
    whole = census(project / "whole.json")
    assert (whole["cells"], whole["pickles"], whole["holding"], whole["faults"]) == (count, count, count, 0)
    assert {row["code"]: row["pickles"] for row in whole["codes"]} == {301: count // 10}
    ordered = sum(1 for number in range(count) if number % 10 and number % 3)
    assert {row["name"]: row["pickles"] for row in whole["globals"]} == {"OrderedDict": ordered, "datetime": ordered}
    seen = killed(command("scan", place, "--journal", "c.json", *rate), project / "c.json", kills)
    ran("scan", place, "--journal", "c.json", cwd=project)
    assert counted(census(project / "c.json")) == counted(whole)
    assert len(set(seen)) > kills // 2
    for part in "123":
        ran("scan", place, "--part", f"{part}/3", "--journal", f"{part}.json", cwd=project)
    ran("census", "merge", "1.json", "2.json", "3.json", "--output", "sum.json", cwd=project)
    assert counted(census(project / "sum.json")) == counted(whole)
    return seconds, int(done.stderr.rpartition("peak ")[2])


@pytest.mark.slow
def test_a_census_of_a_server_is_exact_killed_and_in_parts(filled, project):
    place = filled(3_000)
    check(place, project, 3_000, kills=3, rate=("--rate", "2500/s"))
    assert "not in use" in ran("scan", place, "--code", CODE, cwd=project).stdout
    assert "pa55" not in (project / "whole.json").read_text()


@pytest.mark.slow
def test_a_server_that_goes_away_is_named_and_the_rest_is_read_when_it_is_back(redis_server, project):  # noqa: F811
    place = fill_redis(redis_server, 4_000)
    line = command("scan", place, "--journal", "c.json", "--rate", "2000/s")
    with subprocess.Popen(line, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while cells_in(project / "c.json") < 500:
            time.sleep(0.02)
        redis_server.stop()
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"unreadable: {place}: " in stderr
    assert "c.json holds what was counted: the same command goes on from there" in stderr
    redis_server.start()
    fill_redis(redis_server, 4_000)
    done = ran("scan", place, "--journal", "c.json", cwd=project, code=None)
    if done.returncode == 2:  # its cursors meant something to the server that is gone: once more, from the beginning
        ran("scan", place, "--journal", "c.json", cwd=project)
    assert census(project / "c.json")["cells"] == 4_000


@pytest.mark.slow
def test_a_code_is_found_in_a_server_and_the_cell_is_named(redis_server, project):  # noqa: F811
    place = fill_redis(redis_server, 500)
    redis_server.client().set("old", by_code())
    done = ran("scan", place, "--code", CODE, cwd=project, code=1)
    assert "code 300 is in use in 1 cell\n" in done.stdout
    assert f"{place}::old" in done.stdout


@pytest.mark.soak
def test_a_million_is_exact_killed_twenty_times_and_in_little_memory(filled, project):
    count = 1_000_000
    place = filled(count)
    store = opened(place)
    begun = time.monotonic()
    assert sum(1 for part in store.parts(1) for _ in store.cells(part)) == count
    reading = time.monotonic() - begun
    store.close()
    seconds, peak = check(place, project, count, kills=20)
    begun = time.monotonic()
    ran("scan", place, "--code", CODE, cwd=project)
    one = time.monotonic() - begun
    print(
        f"{place.partition(':')[0]}: reading alone {count / reading:,.0f}/s, census {count / seconds:,.0f}/s, "
        f"--code {count / one:,.0f}/s, peak {peak >> 10} MB"
    )
    assert peak < MEMORY
