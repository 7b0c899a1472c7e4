"""The same census on a Dask cluster of two workers as by one process, also when one of them is killed half-way."""

import os
import subprocess
import sys
import time

import pytest

from .conftest import by_code, census, command, counted, ran, small

pytest.importorskip("distributed", reason='pip install ".[dask]"')
pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")]

FILES = 600


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers of one thread each: the address and the workers' processes."""
    where = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    options = ["--no-dashboard", "--scheduler-file", str(where)]
    start = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *options]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-nanny", "--nthreads", "1", *options]
    processes = [subprocess.Popen(start, **quiet)]
    try:
        deadline = time.monotonic() + 60
        while not where.exists() or not where.read_text().endswith("}"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        processes += [subprocess.Popen(worker, **quiet) for _ in range(2)]
        address = census(where)["address"]
        yield_when = _workers(address, deadline)
        assert yield_when == 2
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _workers(address, deadline):
    from distributed import Client

    with Client(address, timeout=30, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=max(1, deadline - time.monotonic()))
        return len(client.scheduler_info(n_workers=-1)["workers"])


@pytest.fixture
def files(project):
    for number in range(FILES):
        (project / "data" / f"{number}.pickle").write_bytes(small(number) * 2 + (by_code() if number % 7 == 0 else b""))
    (project / "data" / "torn").write_bytes(small(1)[:-1])
    ran("scan", "--journal", "one.json", cwd=project, code=2)
    return project


def test_two_workers_count_what_one_process_counts(files, cluster):
    address, _ = cluster
    done = ran("scan", "--on", f"dask:{address}", "--journal", "dask.json", cwd=files, code=2)
    assert counted(census(files / "dask.json")) == counted(census(files / "one.json"))
    assert done.stdout == ran("scan", cwd=files, code=2).stdout


def test_a_worker_that_is_killed_half_way_changes_nothing(files, cluster):
    address, (worker, _) = cluster
    line = command("scan", "--on", f"dask:{address}", "--journal", "dask.json", "--rate", "150/s")
    with subprocess.Popen(line, cwd=files, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(2.5)
        assert process.poll() is None
        worker.kill()
        _, stderr = process.communicate(timeout=100)
    assert process.returncode == 2, stderr
    assert counted(census(files / "dask.json")) == counted(census(files / "one.json"))


def test_a_scheduler_that_is_not_there_is_named(files):
    done = ran("scan", "--on", "dask:tcp://127.0.0.1:1", cwd=files, code=2)
    assert "no Dask scheduler answers at tcp://127.0.0.1:1" in done.stderr


@pytest.mark.parametrize("on", [["--on", "ray:x"], ["--on", "dask:tcp://127.0.0.1:1", "--jobs", "2"]])
def test_only_dask_is_known_and_it_has_its_own_processes(on, files):
    assert "expected dask:ADDRESS, and no --jobs" in ran("scan", *on, cwd=files, code=2).stderr


def test_parts_that_no_worker_reads_are_named_and_the_journal_goes_on(files, cluster):
    """The workers stand in another folder, where a relative path leads nowhere."""
    address, _ = cluster
    (files / "there").mkdir()
    os.rename(files / "data", files / "there" / "data")
    line = ("scan", "data", "--journal", "dask.json")
    done = ran(*line, "--on", f"dask:{address}", cwd=files / "there", code=2)
    assert "No such file or directory" in done.stderr
    assert "dask.json holds what was counted" in done.stderr
    assert "finished" not in census(files / "there" / "dask.json")
    ran(*line, cwd=files / "there", code=2)
    assert census(files / "there" / "dask.json")["holding"] == FILES
