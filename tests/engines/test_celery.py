"""Celery, with real workers and a broker: no message is lost that was sent with codes."""

import itertools
import json
import random
import shutil
import subprocess
import sys
import time
import uuid

import pytest

from .conftest import eventually, kill, says

pytest.importorskip("celery", reason='pip install ".[test-full]"')
pytestmark = [pytest.mark.slow, pytest.mark.once]

TASKS = """
import os
import celery, shop

app = celery.Celery("tasks", broker=os.environ["BROKER"], backend=os.environ.get("BACKEND", os.environ["BROKER"]))
app.conf.update(
    task_serializer="pickle", result_serializer="pickle", accept_content=["pickle", "json"], task_acks_late=True,
    worker_prefetch_multiplier=4, result_expires=600, broker_connection_retry_on_startup=True,
    beat_schedule={"often": {"task": "tasks.seen", "schedule": 0.5, "args": (shop.order(7),)}},
)
if os.environ.get("CODES"):
    import extreg.workers.celery
    extreg.workers.celery.connect(app, os.environ["CODES"])

@app.task
def back(order):
    return shop.back(order)

@app.task
def seen(order):
    shop.back(order)
    with open("seen", "a") as file:
        file.write("seen\\n")
"""
SEND = """
import pickle, sys
import extreg, shop, tasks
orders = [shop.order(number) for number in range(int(sys.argv[1]))]
assert b"\\x83\\x2c\\x01" in pickle.dumps(orders[0])
sent = [tasks.back.delay(order) for order in orders]
print("sent", flush=True)
for order, result in zip(orders, sent):
    assert result.get(timeout=float(sys.argv[2])) == shop.Order(order.number + 1, order.lines)
print(len(orders), "there and back", extreg.standing().fingerprint)
"""
POOLS = ["prefork", "threads", "solo"]


@pytest.fixture
def worker(shop, start, emptied):
    (shop / "tasks.py").write_text(TASKS)
    names = itertools.count()

    def begin(pool, codes, *options, broker=emptied):
        line = ["-m", "celery", "-A", "tasks", "worker", "-P", pool, "-c", "2", "-l", "INFO"]
        line += ["-n", f"{next(names)}@%h", *options]  # RabbitMQ keeps the queue of a killed one for a while
        process = start(sys.executable, *line, BROKER=broker, BACKEND=emptied, CODES=codes, C_FORCE_ROOT="1")
        says(process, "ready.")
        return process

    return begin


@pytest.mark.parametrize("pool", POOLS)
def test_connected_it_takes_coded_objects_and_a_worker_that_is_started_again_too(worker, python, emptied, pool):
    first = worker(pool, "./registry.toml")
    done = python(SEND, "1000", "60", BROKER=emptied, CODES="./registry.toml")
    assert "1000 there and back" in done.stdout, done.stderr
    kill(first)
    worker(pool, "./registry.toml")
    done = python(SEND, "100", "60", BROKER=emptied, CODES="./registry.toml")
    assert "100 there and back" in done.stdout, done.stderr


def test_with_extreg_auto_among_its_modules_a_worker_takes_coded_objects_too(worker, python, emptied):
    worker("prefork", "", "-I", "extreg.auto")
    done = python(SEND, "100", "60", BROKER=emptied, CODES="./registry.toml")
    assert "100 there and back" in done.stdout, done.stderr


@pytest.mark.parametrize("pool", POOLS)
def test_without_it_the_message_is_lost(worker, python, emptied, pool):
    """Acknowledged, although acknowledgements are late: it never gets as far as a task."""
    process = worker(pool, "")
    done = python(SEND, "1", "4", BROKER=emptied, CODES="./registry.toml")
    assert "TimeoutError" in done.stderr
    says(process, "unregistered extension code 300")
    import redis

    with redis.Redis.from_url(emptied) as client:
        assert client.llen("celery") == client.hlen("unacked") == 0


def test_inspect_shows_what_stands_in_each_worker(worker, shop, start, python, emptied):
    worker("prefork", "./registry.toml")
    sent = python(SEND, "1", "60", BROKER=emptied, CODES="./registry.toml")
    line = ["-m", "celery", "-A", "tasks", "inspect", "--json", "extreg"]
    inspect = start(sys.executable, *line, BROKER=emptied, CODES="./registry.toml")
    assert inspect.wait(60) == 0, inspect.log.read_text()
    (answer,) = json.loads(inspect.log.read_text()).values()
    assert answer["fingerprint"] == sent.stdout.split()[-1]
    assert (answer["codes"], answer["load_only"]) == (2, 1)


def test_beat_sends_coded_objects(worker, shop, start, emptied):
    worker("solo", "./registry.toml")
    line = ["-m", "celery", "-A", "tasks", "beat", "--schedule", str(shop / "schedule")]
    beat = start(sys.executable, *line, BROKER=emptied, CODES="./registry.toml")
    eventually((shop / "seen").exists, process=beat)


def test_a_worker_with_the_registry_of_before_reads_what_it_has(worker, shop, python, emptied):
    """A rolling change: what is load-only there may be sent, what is new may not, as `extreg diff` says."""
    old = (shop / "registry.toml").read_text()
    (shop / "old.toml").write_text(old)
    (shop / "registry.toml").write_text(old.replace('\n[load-only]\n310 = "shop:Basket"\n', '310 = "shop:Basket"\n'))
    text = "import shop, tasks; print(type(tasks.app.send_task('tasks.kind', (shop.Basket(),)).get(timeout=30)))"
    (shop / "tasks.py").write_text(TASKS + "\n@app.task\ndef kind(basket):\n    return basket\n")
    worker("prefork", "./old.toml")
    done = python(text, BROKER=emptied, CODES="./registry.toml")
    assert "Basket" in done.stdout, done.stderr


@pytest.fixture
def rabbit():
    """The URL of a virtual host of the test's own, in the RabbitMQ that runs on this machine."""
    if shutil.which("rabbitmqctl") is None:
        pytest.skip("rabbitmqctl is not here")
    name = f"extreg-test-{uuid.uuid4().hex[:12]}"

    def control(*arguments):
        return subprocess.run(["rabbitmqctl", *arguments], capture_output=True, text=True, timeout=60, check=False)

    if control("add_vhost", name).returncode:
        pytest.skip("RabbitMQ does not run here, or is not ours to add a virtual host to")
    try:
        assert control("set_permissions", "-p", name, "guest", ".*", ".*", ".*").returncode == 0
        yield f"amqp://guest:guest@127.0.0.1:5672/{name}"
    finally:
        control("delete_vhost", name)


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.soak)])
def test_no_message_is_lost_while_workers_are_killed(worker, start, shop, emptied, rabbit, count):
    """Late acknowledgements: what a killed worker had is delivered again; twice is allowed, never is not.

    With RabbitMQ: kombu takes a message from Redis and notes that it did in two steps (kombu/transport/redis.py), and
    what is killed between them loses it, with codes or without.
    """
    places = {"BROKER": rabbit, "BACKEND": emptied, "CODES": "./registry.toml"}

    def another():
        return worker("prefork", "./registry.toml", broker=rabbit)

    workers = [another(), another()]
    (shop / "sender.py").write_text(SEND)
    sender = start(sys.executable, "sender.py", str(count), "300", **places)
    dice = random.Random(17)
    kills = 0
    while sender.poll() is None and kills < max(3, count // 250):
        time.sleep(dice.uniform(0.2, 1.5))
        place = dice.randrange(2)
        kill(workers[place])
        workers[place] = another()
        kills += 1
    assert sender.wait(900) == 0, sender.log.read_text()[:3000]
    assert f"{count} there and back" in sender.log.read_text()
    assert kills
    print(f"{count} messages, {kills} workers killed, none lost")
