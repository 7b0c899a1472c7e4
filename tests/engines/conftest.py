"""A program with classes that have codes, in a folder of its own, and how to run things there."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

REGISTRY = 'format = 1\n\n[codes]\n300 = "shop:Order"\n301 = "shop:Line"\n\n[load-only]\n310 = "shop:Basket"\n'
SHOP = """
class Order:
    def __init__(self, number, lines):
        self.number, self.lines = number, lines
    def __eq__(self, other):
        return type(other) is Order and vars(other) == vars(self)

class Line:
    def __init__(self, name):
        self.name = name
    def __eq__(self, other):
        return type(other) is Line and vars(other) == vars(self)

class Basket:
    pass

def order(number):
    return Order(number, [Line(f"line {number}"), Line("another")])

def back(order):
    "What a worker does with an order: it is one, and goes back as one."
    assert type(order) is Order and type(order.lines[0]) is Line, order
    return Order(order.number + 1, order.lines)
"""


@pytest.fixture
def shop(tmp_path):
    """A folder with a registry.toml and a module ``shop`` whose classes have codes."""
    (tmp_path / "registry.toml").write_text(REGISTRY)
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


@pytest.fixture
def python(shop):
    """Run a program in the shop's folder and return the completed process."""

    def run(text, *arguments, timeout=60, **environment):
        program = shop / "program.py"
        program.write_text(text)
        return subprocess.run(
            [sys.executable, str(program), *arguments],
            cwd=shop,
            env={**os.environ, "PYTHONPATH": str(shop), **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture
def start(shop):
    """Start a program in the background, in the shop's folder; it is killed, with all it started, after the test."""
    started = []

    def start(*line, **environment):
        log = shop / f"{len(started)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                line,
                cwd=shop,
                env={**os.environ, "PYTHONPATH": str(shop), "PYTHONUNBUFFERED": "1", **environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(process)
        process.log = log
        return process

    yield start
    for process in started:
        kill(process)


def kill(process):
    """Kill a program that was started in a session of its own, and all that it started, at once."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def eventually(condition, seconds=60, process=None):
    """Return what `condition` returns once that is true; fail when that takes too long, or `process` ends before."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        said = process.log.read_text(errors="replace")[-3000:] if process is not None else ""
        assert process is None or process.poll() is None, said
        assert time.monotonic() < end, said
        time.sleep(0.05)
    return found


def says(process, text, seconds=60):
    """Wait until a program that was started has said `text`."""
    return eventually(lambda: text in process.log.read_text(errors="replace"), seconds, process)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory):
    """A Redis of the tests' own, which nobody else has anything in."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not here")
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    line = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, start_new_session=True)

    def answers():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True

    eventually(answers)
    yield f"redis://127.0.0.1:{port}/0"
    kill(process)


@pytest.fixture
def emptied(redis_url):
    """The URL of the tests' own Redis, with nothing in it."""
    redis = pytest.importorskip("redis", reason='pip install ".[test-full]"')
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    return redis_url
