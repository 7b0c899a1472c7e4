"""A rolling change, by engine: workers with the registry of before, a writer with the one of after.

`extreg diff` says that the old ones read what is load-only there (310) and cannot read what they do not have (311).
"""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from .conftest import eventually, kill, says
from .test_web import DJANGO, SERIALIZER, SETTINGS

pytestmark = [pytest.mark.slow, pytest.mark.once]

MORE = """
class Return:
    pass

def kind(thing):
    with open("kinds", "a") as file:
        file.write(type(thing).__name__ + " ")
    return type(thing).__name__
"""
UNREAD = "unregistered extension code 311"
NEW = "import extreg; extreg.install('./registry.toml')\n"


@pytest.fixture
def before(shop):
    """The registry of before; the shop's own is the one of after."""
    old = shop / "old.toml"
    text = (shop / "registry.toml").read_text()
    old.write_text(text)
    new = text.replace('\n[load-only]\n310 = "shop:Basket"\n', '310 = "shop:Basket"\n311 = "shop:Return"\n')
    (shop / "registry.toml").write_text(new)
    (shop / "shop.py").write_text((shop / "shop.py").read_text() + MORE)
    line = [sys.executable, "-m", "extreg", "diff", "old.toml", "registry.toml", "--format", "json"]
    said = json.loads(subprocess.run(line, cwd=shop, capture_output=True, text=True, timeout=60, check=False).stdout)
    assert (said["verdict"], said["unread_by_old"], said["unread_by_new"]) == ("readers-first", [311], [])
    return {"EXTREG_REGISTRY": str(old)}


def kinds(shop):
    """Return the kinds of what workers read, in order."""
    path = shop / "kinds"
    return path.read_text().split() if path.exists() else []


def test_rq_reads_what_is_load_only_and_fails_the_other_job(before, shop, start, python, emptied):
    pytest.importorskip("rq", reason='pip install ".[test-full]"')
    line = [sys.executable, "-m", "rq.cli", "worker", "-u", emptied, "-w", "rq.SimpleWorker", "-c", "extreg.auto"]
    worker = start(*line, **before)
    send = f"""{NEW}
import redis, rq, shop, time
queue = rq.Queue(connection=redis.Redis.from_url({emptied!r}))
for thing in shop.Basket(), shop.Return():
    job = queue.enqueue(shop.kind, thing)
    while not (job.is_finished or job.is_failed):
        time.sleep(0.1)
    print(job.get_status().value)
"""
    done = python(send)
    assert done.stdout == "finished\nfailed\n", done.stderr
    assert kinds(shop) == ["Basket"]
    assert UNREAD in worker.log.read_text()


def test_dramatiq_reads_what_is_load_only_and_keeps_the_other_message(before, shop, start, python, emptied):
    pytest.importorskip("dramatiq", reason='pip install ".[test-full]"')
    (shop / "actors.py").write_text(
        "import os, dramatiq, shop\n"
        "from dramatiq.brokers.redis import RedisBroker\n"
        "dramatiq.set_broker(RedisBroker(url=os.environ['BROKER']))\n"
        "dramatiq.set_encoder(dramatiq.PickleEncoder())\n"
        "kind = dramatiq.actor(shop.kind, max_retries=0)\n"
    )
    line = [sys.executable, "-m", "dramatiq", "-p", "1", "-t", "1", "actors", "extreg.auto"]
    worker = start(*line, BROKER=emptied, **before)
    send = f"{NEW}import actors, shop, sys\nactors.kind.send(getattr(shop, sys.argv[1])())\n"
    assert python(send, "Basket", BROKER=emptied).returncode == 0
    eventually(lambda: kinds(shop) == ["Basket"], process=worker)
    assert python(send, "Return", BROKER=emptied).returncode == 0
    says(worker, UNREAD)
    assert kinds(shop) == ["Basket"]
    # Whoever has the code reads it when it is delivered again: it is with the broker still.
    import redis

    with redis.Redis.from_url(emptied) as client:
        assert b"\x837\x01" in b"".join(client.hvals("dramatiq:default.msgs"))


def test_huey_reads_what_is_load_only_and_a_new_consumer_does_too(before, shop, start, python, emptied):
    pytest.importorskip("huey", reason='pip install ".[test-full]"')
    (shop / "jobs.py").write_text(
        "import os, extreg.auto, huey, shop\n"
        "queue = huey.RedisHuey('shop', url=os.environ['BROKER'])\n"
        "kind = queue.task()(shop.kind)\n"
    )
    send = "import jobs, shop, sys\njobs.kind(getattr(shop, sys.argv[1])())\n"
    line = [sys.executable, "-m", "huey.bin.huey_consumer", "jobs.queue", "-w", "1"]
    after = {"BROKER": emptied, "EXTREG_REGISTRY": str(shop / "registry.toml")}
    first = start(*line, BROKER=emptied, **before)
    assert python(send, "Basket", **after).returncode == 0
    eventually(lambda: kinds(shop) == ["Basket"], process=first)
    kill(first)
    second = start(*line, BROKER=emptied, **before)
    assert python(send, "Basket", **after).returncode == 0
    eventually(lambda: kinds(shop) == ["Basket"] * 2, process=second)
    assert python(send, "Return", **after).returncode == 0
    says(second, UNREAD)
    assert kinds(shop) == ["Basket"] * 2


def test_celery_reads_what_is_load_only_and_loses_the_other_message(before, shop, start, python, emptied):
    pytest.importorskip("celery", reason='pip install ".[test-full]"')
    (shop / "tasks.py").write_text(
        "import os, celery, extreg.workers.celery, shop\n"
        "app = celery.Celery('tasks', broker=os.environ['BROKER'], backend=os.environ['BROKER'])\n"
        "app.conf.update(task_serializer='pickle', result_serializer='pickle', accept_content=['pickle'])\n"
        "extreg.workers.celery.connect(app)\n"
        "kind = app.task(shop.kind, name='tasks.kind')\n"
    )
    worker = start(
        *[sys.executable, "-m", "celery", "-A", "tasks", "worker", "-P", "threads", "-c", "1"],
        BROKER=emptied,
        C_FORCE_ROOT="1",
        **before,
    )
    send = """
import celery.exceptions, shop, tasks
print(tasks.kind.delay(shop.Basket()).get(timeout=60))
try:
    tasks.kind.delay(shop.Return()).get(timeout=3)
except celery.exceptions.TimeoutError:
    print("no answer")
"""
    done = python(send, BROKER=emptied, EXTREG_REGISTRY=str(shop / "registry.toml"))
    assert done.stdout == "Basket\nno answer\n", done.stderr
    assert UNREAD in worker.log.read_text()


def test_dask_reads_what_is_load_only_and_raises_for_the_other(before, shop, start, python):
    pytest.importorskip("distributed", reason='pip install ".[test-full]"')
    file = ["--scheduler-file", str(shop / "scheduler.json"), "--preload", "extreg.auto"]
    module = [sys.executable, "-m"]
    scheduler = start(*module, "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", *file, **before)
    eventually((shop / "scheduler.json").exists, process=scheduler)
    start(*module, "distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard", *file, **before)
    work = f"""{NEW}
import distributed, shop, sys
with distributed.Client(scheduler_file="scheduler.json") as client:
    print(client.submit(shop.kind, getattr(shop, sys.argv[1])()).result(timeout=60), flush=True)
"""
    done = python(work, "Basket", timeout=120)
    assert done.stdout == "Basket\n", done.stderr
    done = python(work, "Return", timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    assert UNREAD in done.stderr


def test_loky_reads_what_is_load_only_and_is_broken_by_the_other(before, shop, python):
    pytest.importorskip("joblib", reason='pip install ".[test-full]"')
    text = f"""{NEW}
import extreg.workers, shop
from joblib.externals import loky
if __name__ == "__main__":
    executor = loky.get_reusable_executor(1, initializer=extreg.workers.initializer("./old.toml"))
    print(executor.submit(shop.kind, shop.Basket()).result())
    error = executor.submit(shop.kind, shop.Return()).exception()
    print(type(error).__name__, error.__cause__)
"""
    done = python(text)
    first, rest = done.stdout.split("\n", 1)
    assert (first, rest.split()[0]) == ("Basket", "BrokenProcessPool"), done.stderr
    assert UNREAD in rest


def test_django_reads_what_is_load_only_and_raises_for_the_other(before, shop, python):
    pytest.importorskip("django", reason='pip install ".[test-full]"')
    (shop / "serializer.py").write_text(SERIALIZER)
    (shop / "settings.py").write_text(SETTINGS.format(line="import extreg.auto"))
    write = f"{DJANGO}cache.set('basket', shop.Basket())\ncache.set('return', shop.Return())\n"
    done = python(write, EXTREG_REGISTRY=str(shop / "registry.toml"))
    assert done.returncode == 0, done.stderr
    done = python(f"{DJANGO}print(shop.kind(cache.get('basket')), flush=True)\ncache.get('return')\n", **before)
    assert (done.returncode, done.stdout) == (1, "Basket\n"), done.stderr
    assert f"ValueError: {UNREAD}" in done.stderr


def test_a_worker_of_gunicorn_that_is_killed_is_replaced_by_one_with_the_codes(before, shop, start):
    pytest.importorskip("gunicorn", reason='pip install ".[test-full]"')
    (shop / "app.py").write_text(
        "import os, extreg\n"
        "def wsgi(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [b'%d %d %d' % (os.getpid(), extreg.standing().codes, extreg.standing().load_only)]\n"
    )
    line = [sys.executable, "-m", "gunicorn", "-b", "unix:socket", "-w", "1", "-c", "python:extreg.auto", "app:wsgi"]
    server = start(*line, **before)

    def ask():
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(5)
            try:
                asking.connect(str(shop / "socket"))
                asking.sendall(b"GET / HTTP/1.0\r\n\r\n")
                answer = b""
                while more := asking.recv(4096):
                    answer += more
            except OSError:
                return None
        return answer.rpartition(b"\r\n\r\n")[2].decode().split() or None

    pid, *standing = eventually(ask, process=server)
    os.kill(int(pid), signal.SIGKILL)
    answer = eventually(lambda: (found := ask()) and found[0] != pid and found, process=server)
    assert standing == answer[1:] == ["2", "1"]


def test_another_registry_on_a_dask_that_runs_is_refused_where_a_code_means_something_else(shop, start, python):
    pytest.importorskip("distributed", reason='pip install ".[test-full]"')
    file = ["--scheduler-file", str(shop / "scheduler.json")]
    module = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard"]
    scheduler = start(*module, *file)
    eventually((shop / "scheduler.json").exists, process=scheduler)
    text = (shop / "registry.toml").read_text()
    (shop / "moved.toml").write_text(text.replace("shop:Order", "orders:Order") + '\n[moved]\n300 = ["shop:Order"]\n')
    register = """
import sys, distributed, extreg, extreg.workers.dask
with distributed.Client(scheduler_file="scheduler.json") as client:
    extreg.workers.dask.register(client, sys.argv[1])
    print(client.run_on_scheduler(lambda: extreg.standing().codes))
"""
    for _ in range(2):
        assert python(register, "./registry.toml", timeout=120).stdout == "2\n"
    for _ in range(2):  # what was refused is not taken for registered
        done = python(register, "./moved.toml", timeout=120)
        assert (done.returncode, done.stdout) == (1, "")
        assert "ConflictError" in done.stderr
        assert "300 = orders:Order" in done.stderr
