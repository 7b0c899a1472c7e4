"""Dask, with a scheduler and workers of their own: both need the codes."""

import sys

import pytest

from .conftest import eventually, kill

pytest.importorskip("distributed", reason='pip install ".[test-full]"')
pytestmark = [pytest.mark.slow, pytest.mark.once]

CLIENT = """
import os, signal, sys, time
import distributed, extreg, shop
import extreg.workers.dask

def work(client, count):
    orders = [shop.order(number) for number in range(count)]
    found = client.gather(client.map(shop.back, orders, pure=False))
    assert found == [shop.Order(order.number + 1, order.lines) for order in orders]
    print(count, "there and back", flush=True)

def standing():
    return extreg.standing().fingerprint

def main():
    installation = extreg.install("./registry.toml")
    with CLUSTER as client:
        client.wait_for_workers(2)
BODY
if __name__ == "__main__":
    main()
"""
LOCAL = (
    "distributed.LocalCluster(2, processes=True, threads_per_worker=1, dashboard_address=None) as cluster, "
    "distributed.Client(cluster)"
)
APART = "distributed.Client(scheduler_file='scheduler.json')"
REGISTERED = """
        extreg.workers.dask.register(client)
        extreg.workers.dask.register(client)
        work(client, 1_000)
        assert set(client.run(standing).values()) == {installation.standing.fingerprint}
        assert client.run_on_scheduler(standing) == installation.standing.fingerprint
        was = set(client.run(os.getpid).values())
        client.restart()
        work(client, 100)
        assert was.isdisjoint(client.run(os.getpid).values())
        os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
        time.sleep(1)
        client.wait_for_workers(2)
        work(client, 100)
"""


def program(cluster, body):
    return CLIENT.replace("CLUSTER", cluster).replace("BODY", body)


@pytest.fixture
def cluster(shop, start):
    """A scheduler and two workers by the command line; they know nothing of the registry."""
    nowhere = shop / "elsewhere"
    nowhere.mkdir()
    file = str(shop / "scheduler.json")
    module = [sys.executable, "-m"]
    scheduler = start(
        *module, "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", file
    )
    eventually((shop / "scheduler.json").exists, process=scheduler)
    worker = ["distributed.cli.dask_worker", "--scheduler-file", file, "--nthreads", "1", "--no-dashboard"]
    return scheduler, [start(*module, *worker, "--nworkers", "1") for _ in range(2)]


def test_registered_a_local_cluster_takes_coded_objects(python):
    done = python(program(LOCAL, REGISTERED), timeout=120)
    assert done.stdout.splitlines() == ["1000 there and back", "100 there and back", "100 there and back"], done.stderr


def test_registered_a_scheduler_and_workers_apart_take_coded_objects(cluster, python, start, shop):
    done = python(program(APART, REGISTERED), timeout=120)
    assert done.stdout.splitlines() == ["1000 there and back", "100 there and back", "100 there and back"], done.stderr


def test_a_worker_that_joins_later_has_them_too(cluster, python, start, shop):
    _, workers = cluster
    register = "        extreg.workers.dask.register(client)\n        work(client, 10)\n"
    assert python(program(APART, register), timeout=120).returncode == 0
    for worker in workers:
        kill(worker)
    line = ["distributed.cli.dask_worker", "--scheduler-file", "scheduler.json", "--nthreads", "1", "--no-dashboard"]
    for _ in range(2):
        start(sys.executable, "-m", *line)
    done = python(program(APART, "        work(client, 10)\n"), timeout=120)
    assert done.stdout == "10 there and back\n", done.stderr


def test_without_it_a_scheduler_apart_fails(cluster, python):
    done = python(program(APART, "        work(client, 1)\n"), timeout=120)
    assert done.returncode != 0
    assert "unregistered extension code 300" in done.stderr


def test_preloaded_it_takes_coded_objects(shop, python, start):
    """The line of the documentation for those who start the processes themselves."""
    file, preload = str(shop / "scheduler.json"), ["--preload", "extreg.auto"]
    module = [sys.executable, "-m"]
    line = ["distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", file, *preload]
    scheduler = start(*module, *line)
    eventually((shop / "scheduler.json").exists, process=scheduler)
    for _ in range(2):
        line = ["distributed.cli.dask_worker", "--scheduler-file", file, "--nthreads", "1", "--no-dashboard", *preload]
        start(*module, *line)
    done = python(program(APART, "        work(client, 1_000)\n"), timeout=120)
    assert done.stdout == "1000 there and back\n", done.stderr
