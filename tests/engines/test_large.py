"""Engines that are large, or go with no other: Ray, Spark and arq, each in an environment that the test makes.

Run by hand, with a network: ``pytest -m soak tests/engines/test_large.py``.  Spark wants Java.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import extreg

from .conftest import says

pytestmark = pytest.mark.soak

SOURCE = Path(extreg.__file__).parents[1]


@pytest.fixture(scope="session")
def python_with(tmp_path_factory):
    """Return a function from the name of a distribution to an interpreter that has it, and this extreg."""

    def make(name):
        folder = tmp_path_factory.mktemp(name)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = folder / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", name, "tomli", "tomli-w"], check=True)
        site = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"], capture_output=True, text=True
        ).stdout.strip()
        (Path(site) / "extreg-under-test.pth").write_text(f"{SOURCE}\n")
        return str(python)

    return make


def run(python, shop, text, **environment):
    (shop / "program.py").write_text(text)
    return subprocess.run(
        [python, "program.py"],
        cwd=shop,
        env={**os.environ, "PYTHONPATH": str(shop), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


RAY = """
import extreg, extreg.workers, ray, shop
extreg.install("./registry.toml")
ray.init(num_cpus=2, runtime_env=HOOK, include_dashboard=False, log_to_driver=False)

@ray.remote
def back(order):
    return shop.back(order)

orders = [shop.order(number) for number in range(1_000)]
assert ray.get([back.remote(order) for order in orders]) == [shop.Order(o.number + 1, o.lines) for o in orders]
print("1000 there and back")
"""


def test_ray(python_with, shop):
    python = python_with("ray")
    hook = '{"worker_process_setup_hook": extreg.workers.initializer()}'
    done = run(python, shop, RAY.replace("HOOK", hook), RAY_ENABLE_UV_RUN_RUNTIME_ENV="0")
    assert done.stdout == "1000 there and back\n", done.stderr[-3000:]
    done = run(python, shop, RAY.replace("HOOK", "None"))
    assert "unregistered extension code 300" in done.stderr


SPARK = """
import extreg, pyspark, shop, sys
extreg.install("./registry.toml")
conf = pyspark.SparkConf().setMaster("local[2]").set("spark.ui.enabled", "false")
conf.set("spark.driver.host", "127.0.0.1").set("spark.driver.bindAddress", "127.0.0.1")
LINES
context = pyspark.SparkContext(conf=conf)
orders = [shop.order(number) for number in range(1_000)]
found = context.parallelize(orders, 4).map(shop.back).collect()
assert found == [shop.Order(o.number + 1, o.lines) for o in orders]
print("1000 there and back")
"""


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark wants Java")
def test_spark(python_with, shop):
    python = python_with("pyspark")
    lines = (
        'conf.set("spark.python.daemon.module", "extreg.workers.spark_daemon")\n'
        f'conf.set("spark.executorEnv.EXTREG_REGISTRY", {str(shop / "registry.toml")!r})'
    )
    done = run(python, shop, SPARK.replace("LINES", lines), PYSPARK_PYTHON=python)
    assert done.stdout == "1000 there and back\n", done.stderr[-3000:]
    done = run(python, shop, SPARK.replace("LINES", ""), PYSPARK_PYTHON=python)
    assert "unregistered extension code 300" in done.stderr


ARQ = """
LINE
import os, shop
from arq.connections import RedisSettings

async def back(ctx, order):
    return shop.back(order)

class WorkerSettings:
    functions = [back]
    redis_settings = RedisSettings.from_dsn(os.environ["BROKER"])
"""
SEND = """
import asyncio, extreg, jobs, os, shop
from arq import create_pool
extreg.install("./registry.toml")

async def main():
    pool = await create_pool(jobs.WorkerSettings.redis_settings)
    orders = [shop.order(number) for number in range(1_000)]
    sent = [await pool.enqueue_job("back", order) for order in orders]
    for order, job in zip(orders, sent):
        assert await job.result(timeout=60) == shop.Order(order.number + 1, order.lines)
    print("1000 there and back")

asyncio.run(main())
"""


def test_arq(python_with, shop, start, redis_url):
    python = python_with("arq")
    for line, expected in (("import extreg.auto", "1000 there and back\n"), ("", "")):
        (shop / "jobs.py").write_text(ARQ.replace("LINE", line))
        worker = start(python, "-m", "arq", "jobs.WorkerSettings", BROKER=redis_url)
        says(worker, "Starting worker")
        done = run(python, shop, SEND, BROKER=redis_url)
        assert done.stdout == expected, done.stderr[-3000:]
        if not line:
            assert "unregistered extension code 300" in done.stderr + worker.log.read_text()
        worker.kill()
