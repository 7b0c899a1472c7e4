"""RQ, dramatiq and huey with real workers: the line of the documentation, and what happens without it."""

import sys

import pytest

from .conftest import eventually, kill, says

pytestmark = [pytest.mark.slow, pytest.mark.once]

INSTALL = "import extreg; extreg.install('./registry.toml')\n"
MARK = "import os\ndef mark():\n    with open('done', 'a') as file:\n        file.write('x')\n"


def done(shop, count):
    """Say whether so many tasks were done."""
    path = shop / "done"
    return lambda: path.exists() and len(path.read_text()) >= count


@pytest.fixture
def rq(shop, start, emptied, python):
    pytest.importorskip("rq", reason='pip install ".[test-full]"')
    send = f"""{INSTALL}
import redis, rq, shop, sys, time
queue = rq.Queue(connection=redis.Redis.from_url({emptied!r}))
orders = [shop.order(number) for number in range(int(sys.argv[1]))]
jobs = [queue.enqueue(shop.back, order) for order in orders]
end = time.monotonic() + 60
while any(not (job.is_finished or job.is_failed) for job in jobs) and time.monotonic() < end:
    time.sleep(0.1)
print({{job.get_status().value for job in jobs}})
if jobs[0].is_finished:
    assert [job.return_value() for job in jobs] == [shop.Order(o.number + 1, o.lines) for o in orders]
"""

    def worker(*options):
        line = [sys.executable, "-m", "rq.cli", "worker", "-u", emptied, "-w", "rq.SimpleWorker", *options]
        process = start(*line)
        says(process, "Listening on")
        return process

    return worker, lambda count: python(send, str(count))


def test_rq_with_extreg_auto_as_its_settings_takes_coded_objects(rq):
    worker, send = rq
    first = worker("-c", "extreg.auto")
    sent = send(1_000)
    assert sent.stdout == "{'finished'}\n", sent.stderr
    kill(first)
    worker("-c", "extreg.auto")
    assert send(10).stdout == "{'finished'}\n"


def test_without_it_rq_fails_the_job(rq):
    worker, send = rq
    process = worker()
    assert send(1).stdout == "{'failed'}\n"
    assert "unregistered extension code 300" in process.log.read_text()


ACTORS = (
    MARK
    + """
import dramatiq, shop
from dramatiq.brokers.redis import RedisBroker
dramatiq.set_broker(RedisBroker(url=os.environ["BROKER"]))
dramatiq.set_encoder(dramatiq.PickleEncoder())

@dramatiq.actor(max_retries=0)
def back(order):
    shop.back(order)
    mark()
"""
)


@pytest.fixture
def dramatiq(shop, start, emptied, python):
    pytest.importorskip("dramatiq", reason='pip install ".[test-full]"')
    (shop / "actors.py").write_text(ACTORS)
    send = f"{INSTALL}import actors, shop, sys\nfor n in range(int(sys.argv[1])): actors.back.send(shop.order(n))\n"

    def worker(*modules):
        line = [sys.executable, "-m", "dramatiq", "-p", "1", "-t", "2", "actors", *modules]
        process = start(*line, BROKER=emptied)
        says(process, "is ready for action")
        return process

    return worker, lambda count: python(send, str(count), BROKER=emptied)


def test_dramatiq_with_extreg_auto_among_its_modules_takes_coded_objects(dramatiq, shop):
    worker, send = dramatiq
    first = worker("extreg.auto")
    assert send(1_000).returncode == 0
    eventually(done(shop, 1_000), process=first)
    kill(first)
    worker("extreg.auto")
    send(10)
    eventually(done(shop, 1_010))


def test_without_it_dramatiq_keeps_the_message_and_does_nothing(dramatiq, shop, emptied):
    worker, send = dramatiq
    process = worker()
    send(1)
    says(process, "unregistered extension code 300")
    assert not (shop / "done").exists()


HUEY = (
    MARK
    + """
{line}
import huey, shop
queue = huey.RedisHuey("shop", url=os.environ["BROKER"])

@queue.task()
def back(order):
    shop.back(order)
    mark()
"""
)


@pytest.fixture
def huey(shop, start, emptied, python):
    pytest.importorskip("huey", reason='pip install ".[test-full]"')
    send = f"{INSTALL}import jobs, shop, sys\nfor number in range(int(sys.argv[1])): jobs.back(shop.order(number))\n"

    def worker(line):
        (shop / "jobs.py").write_text(HUEY.format(line=line))
        process = start(sys.executable, "-m", "huey.bin.huey_consumer", "jobs.queue", "-w", "2", BROKER=emptied)
        says(process, "Huey consumer started")
        return process

    return worker, lambda count: python(send, str(count), BROKER=emptied)


def test_huey_with_extreg_auto_in_the_module_of_the_queue_takes_coded_objects(huey, shop):
    worker, send = huey
    process = worker("import extreg.auto")
    assert send(1_000).returncode == 0
    eventually(done(shop, 1_000), process=process)


def test_without_it_huey_loses_the_message(huey, shop, emptied):
    worker, send = huey
    process = worker("")
    send(1)
    says(process, "unregistered extension code 300")
    import redis

    with redis.Redis.from_url(emptied) as client:
        assert not any(client.llen(key) for key in client.scan_iter() if client.type(key) == b"list")
    assert not (shop / "done").exists()
