"""What the tests of the census share: databases of many small pickles, and what a scan says of them."""

import json
import os
import pickle
import sqlite3
import subprocess
import sys
from collections import OrderedDict
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

CODE = 300
REGISTRY = """\
format = 1

[codes]
301 = "fractions:Fraction"

[load-only]
300 = "collections:Counter"
"""


def by_code(code=CODE):
    return b"\x80\x02\x83" + code.to_bytes(2, "little") + b"."


def small(number):
    """One of many: some hold a code, some a global, all are small."""
    if number % 10 == 0:
        return by_code(301)
    return pickle.dumps(OrderedDict(id=number, at=datetime(2026, 1, 1)) if number % 3 else {"id": number}, 4)


def database(path, pickles):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE session (id INTEGER PRIMARY KEY, data BLOB)")
        connection.executemany("INSERT INTO session (data) VALUES (?)", ((data,) for data in pickles))
        connection.commit()


def command(*arguments):
    return [sys.executable, "-m", "extreg", *map(str, arguments)]


def ran(*arguments, cwd, code=0, env=None):
    done = subprocess.run(
        command(*arguments), cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})}
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert code is None or done.returncode == code, (done.stdout, done.stderr)
    return done


def census(path):
    return json.loads(Path(path).read_text())


def counted(document):
    """What of a census does not depend on when it was taken, and in which parts."""
    times = ("started", "finished", "cut", "share", "shares", "registry")
    return {key: value for key, value in document.items() if key not in times}


@pytest.fixture
def project(tmp_path):
    """A folder with a registry, whose pickles are all in ``data``."""
    (tmp_path / "data").mkdir()
    (tmp_path / "registry.toml").write_text(REGISTRY)
    (tmp_path / "pyproject.toml").write_text('[tool.extreg]\nplaces = ["data"]\n')
    return tmp_path
