"""Servers to read from: own ones where a program for that is here, else a database of one's own in one that runs."""

import os
import pickle
import shutil
import socket
import subprocess
import time
import uuid
from collections import Counter, OrderedDict
from contextlib import suppress

import pytest

from extreg.stores.envelopes import unwrap
from extreg.stores.inside import read
from extreg.stores.items import Fault, Passed
from extreg.stores.opening import open_store

PASSWORD = "pa55/w@rd?x#y"  # whatever may stand in one


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def waited_for(test, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(Exception):
            if test():
                return
        time.sleep(0.05)
    raise AssertionError("it does not come up")


class RedisServer:
    """A server of our own, with nothing in it."""

    def __init__(self, folder, *options):
        redis = pytest.importorskip("redis")
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("no redis-server here")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        self._command += options
        self.process = None
        self._client = redis.Redis(port=self.port)
        self.start()

    def start(self):
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        waited_for(self._client.ping)

    def client(self, **options):
        import redis

        return redis.Redis(port=self.port, **options)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def redis_server(tmp_path):
    server = RedisServer(tmp_path)
    yield server
    server.stop()


def postgres_url():
    """The server that runs here, as it lets us in: PGHOST and the others, or its socket."""
    host = os.environ.get("PGHOST", "")
    return f"postgresql+psycopg://{os.environ.get('PGUSER', '')}{'@' if os.environ.get('PGUSER') else ''}{host}"


def _engine(url):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.pool.NullPool)
    try:
        engine.connect().close()
    except sqlalchemy.exc.SQLAlchemyError as error:
        pytest.skip(f"no server answers: {error}"[:80])
    return engine


def _own_database(server, name):
    """Make a database in a server, for the length of a test."""
    import sqlalchemy

    engine = _engine(server)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
    yield
    with engine.connect() as connection:
        force = " WITH (FORCE)" if engine.dialect.name == "postgresql" else ""
        connection.execute(sqlalchemy.text(f"DROP DATABASE {name}{force}"))


@pytest.fixture
def postgres():
    """The URL of a database of one's own in PostgreSQL."""
    pytest.importorskip("psycopg")
    name = f"extreg_{uuid.uuid4().hex}"
    yield from ((f"postgresql+psycopg:///{name}") for _ in _own_database("postgresql+psycopg:///postgres", name))


@pytest.fixture
def mariadb():
    """The URL of a database of one's own in MariaDB."""
    pytest.importorskip("pymysql")
    name = f"extreg_{uuid.uuid4().hex}"
    sockets = [path for path in ("/run/mysqld/mysqld.sock", "/tmp/mysql.sock") if os.path.exists(path)]
    query = f"?unix_socket={sockets[0]}" if sockets else ""
    server = f"mysql+pymysql://root@localhost/{{}}{query}"
    yield from (server.format(name) for _ in _own_database(server.format(""), name))


def everything(store, part="1/1", cursor=None):
    """What the cells of a part are: their keys, data and cursors."""
    return [(cell.key, bytes(cell.data), cell.cursor) for cell in store.cells(part, cursor)]


def found_in(place, **options):
    """What the pickles in a place refer to, by the number of references; faults and what was passed over."""
    store = open_store(place)
    codes, names, others = Counter(), Counter(), []
    try:
        for part in store.parts(1):
            for cell in store.cells(part):
                rows = [cell] if isinstance(cell, (Fault, Passed)) else read(unwrap(cell.data, cell.key, **options))
                for row in rows:
                    if isinstance(row, (Fault, Passed)):
                        others.append(row)
                        continue
                    codes.update({code: use.references for code, use in row[1].codes.items()})
                    names.update({":".join(name): use.references for name, use in row[1].globals.items()})
    finally:
        store.close()
    return codes, names, others


def sample(number):
    return pickle.dumps(OrderedDict(n=number))


def goes_on_behind_any_cursor(place, every=1):
    """Walk a place, and go on from its cursors: always with what is left."""
    store = open_store(place)
    cells = everything(store)
    for number in range(0, len(cells), every):
        assert everything(store, cursor=cells[number][2]) == cells[number + 1 :], number
    store.close()
    return cells


def parts_add_up(place, counts=(2, 3, 7)):
    """Cut a place into parts: together they are everything, and nothing is in two."""
    store = open_store(place)
    cells = sorted(cell[:2] for cell in everything(store))
    for count in counts:
        found = [cell[:2] for part in store.parts(count) for cell in everything(store, part)]
        assert sorted(found) == cells
    store.close()
