"""What real programs keep, in each of their settings: "not in use" is never said of what holds the code.

Each of them writes the pickle of an object that has a code, with the code standing in copyreg, as it would in a program
that calls `extreg.install`.
"""

import copyreg
import itertools
import os
import subprocess
import sys
from contextlib import contextmanager
from fractions import Fraction

import pytest

from extreg.stores.items import Fault

from .conftest import found_in

pytestmark = [pytest.mark.slow, pytest.mark.once]

CODE = 300
# Of several kilobytes, so that whoever compresses what is large does it; and small.
VALUES = {"small": Fraction(1, 3), "large": [Fraction(1, 3), *map(str, range(2000))]}


@contextmanager
def coded():
    copyreg.add_extension("fractions", "Fraction", CODE)
    try:
        yield
    finally:
        copyreg.remove_extension("fractions", "Fraction", CODE)


def never_said(place, *, read=True):
    """The code is found in what a program wrote; or, where it is not understood, that is said."""
    codes, _, others = found_in(str(place))
    if read:
        assert (codes[CODE] >= 1, others) == (True, [])
    else:
        assert others


@pytest.fixture(params=VALUES)
def value(request):
    return VALUES[request.param]


# -- joblib -------------------------------------------------------------------------------------------------------

JOBLIB = [0, True, 1, 9, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)]


@pytest.mark.parametrize("compress", JOBLIB, ids=str)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_joblib(compress, protocol, value, tmp_path):
    joblib = pytest.importorskip("joblib")
    with coded():
        joblib.dump(value, tmp_path / "value", compress=compress, protocol=protocol)
    never_said(tmp_path)


def test_joblib_with_arrays_between_the_opcodes(tmp_path):
    """It puts the bytes of arrays into the pickle, where no unpickler but its own expects them."""
    joblib, numpy = pytest.importorskip("joblib"), pytest.importorskip("numpy")
    with coded():
        joblib.dump({"a": numpy.arange(9), "f": Fraction(1, 3)}, tmp_path / "value")
    never_said(tmp_path, read=False)


def test_joblib_memory(tmp_path):
    joblib = pytest.importorskip("joblib")
    for compress in (False, True):
        memory = joblib.Memory(tmp_path / str(compress), verbose=0, compress=compress)
        with coded():
            memory.cache(kept)(3)
        never_said(tmp_path / str(compress))


def kept(number):
    return Fraction(1, number)


# -- diskcache ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_diskcache(protocol, value, tmp_path):
    """Small values and keys are in its SQLite database, large ones in files beside."""
    diskcache = pytest.importorskip("diskcache")
    with coded(), diskcache.Cache(tmp_path, disk_pickle_protocol=protocol, disk_min_file_size=1000) as cache:
        cache["key"] = value
    never_said(tmp_path)


def test_diskcache_keys_and_deques(tmp_path):
    diskcache = pytest.importorskip("diskcache")
    with coded():
        with diskcache.Cache(tmp_path / "keys") as cache:
            cache[Fraction(1, 3), "key"] = 1
        diskcache.Deque([Fraction(1, 3)], tmp_path / "deque")
        diskcache.Index(str(tmp_path / "index"), {"a": Fraction(1, 3)})
    for name in ("keys", "deque", "index"):
        never_said(tmp_path / name)


def test_diskcache_as_json(tmp_path):
    """Its JSON is compressed, and holds no pickle: that is known."""
    diskcache = pytest.importorskip("diskcache")
    with diskcache.Cache(tmp_path, disk=diskcache.JSONDisk, disk_compress_level=6) as cache:
        cache["key"] = {"a": 1}
    assert found_in(str(tmp_path)) == ({}, {}, [])


# -- Flask-Caching and cachelib -------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [0, 1, 77, 300, 10**8])
def test_flask_caching_in_files(timeout, value, tmp_path):
    flask, caching = pytest.importorskip("flask"), pytest.importorskip("flask_caching")
    app = flask.Flask("app")
    cache = caching.Cache(app, config={"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": str(tmp_path)})
    with coded(), app.app_context():
        cache.set("key", value, timeout=timeout)
    never_said(tmp_path)


def test_flask_caching_in_files_at_any_second(tmp_path, monkeypatch):
    """Every expiry whose bytes look as the head of a pickle does, and others."""
    cachelib = pytest.importorskip("cachelib.file")
    cache = cachelib.FileSystemCache(str(tmp_path), threshold=0)
    for number, high in enumerate((0x80, 0x28, 0x5D, 0x78, 0x1F, 0x4E)):
        for second in (2, 3, 4, 5, 0x9C, 0x8B):
            monkeypatch.setattr(cachelib, "time", lambda at=0x6A4E0000 | second << 8 | high: at)
            with coded():
                cache.set(f"key {number} {second}", Fraction(1, 3), timeout=1)
    codes, _, others = found_in(str(tmp_path))
    assert (codes[CODE], others) == (36, [])


def test_flask_caching_in_redis(value, redis_server):
    flask, caching = pytest.importorskip("flask"), pytest.importorskip("flask_caching")
    app = flask.Flask("app")
    cache = caching.Cache(app, config={"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": redis_server.url})
    with coded(), app.app_context():
        cache.set("key", value)
        cache.set("number", 7)
    never_said(redis_server.url)


# -- dogpile.cache --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["dogpile.cache.redis", "dogpile.cache.dbm"])
def test_dogpile(backend, value, tmp_path, redis_server):
    """Its metadata stand in front, as JSON and a stroke."""
    dogpile = pytest.importorskip("dogpile.cache")
    arguments = {"url": redis_server.url} if backend.endswith("redis") else {"filename": str(tmp_path / "cache.dbm")}
    region = dogpile.make_region().configure(backend, arguments=arguments)
    with coded():
        region.set("key", value)
    never_said(redis_server.url if backend.endswith("redis") else tmp_path)


# -- Django ---------------------------------------------------------------------------------------------------------

DJANGO = """
import copyreg, sys
from fractions import Fraction
import django
from django.conf import settings
place, url, large = sys.argv[1], sys.argv[2], sys.argv[3] == "large"
copyreg.add_extension("fractions", "Fraction", 300)
class Pickles:
    def dumps(self, value):
        import pickle
        return pickle.dumps(value)
    def loads(self, data):
        import pickle
        return pickle.loads(data)
settings.configure(
    SECRET_KEY="x" * 50, INSTALLED_APPS=["django.contrib.sessions"], USE_TZ=True,
    SESSION_SERIALIZER="__main__.Pickles", SESSION_FILE_PATH=place,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": place + "/base.db"}},
    CACHES={
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        "files": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": place},
        "table": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cached"},
        "redis": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url},
    },
)
django.setup()
from django.core.cache import caches
from django.core.management import call_command
value = [Fraction(1, 3), *("some text %d" % n for n in range(900))] if large else Fraction(1, 3)
kind = sys.argv[4]
if kind == "table":
    call_command("createcachetable")
if kind in caches.settings:
    caches[kind].set("key", value, timeout=None if large else 300)
elif kind == "sessions":
    call_command("migrate", verbosity=0)
    from django.contrib.sessions.backends.db import SessionStore
    session = SessionStore(); session["key"] = value; session.save()
elif kind == "session-files":
    from django.contrib.sessions.backends.file import SessionStore
    session = SessionStore(); session["key"] = value; session.save()
elif kind == "signed":
    from django.core import signing
    for compress in (False, True):
        for salt in ("a", "b"):
            with open(f"{place}/{compress}{salt}", "w") as file:
                file.write(signing.dumps(value, serializer=Pickles, compress=compress, salt=salt))
elif kind == "old-sessions":
    import base64, hmac, pickle
    raw = pickle.dumps(value)
    digest = hmac.new(b"key", raw, "sha1").hexdigest().encode()
    with open(place + "/session", "wb") as file:
        file.write(base64.b64encode(digest + b":" + raw))
"""


@pytest.mark.parametrize("kind", ["files", "table", "redis", "sessions", "session-files", "signed", "old-sessions"])
@pytest.mark.parametrize("size", ["small", "large"])
def test_django(kind, size, tmp_path, request):
    pytest.importorskip("django")
    url = request.getfixturevalue("redis_server").url if kind == "redis" else ""
    script = tmp_path / "script.py"
    script.write_text(DJANGO)
    data = tmp_path / "data"
    data.mkdir()
    subprocess.run(
        [sys.executable, script, data, url, size, kind], check=True, env={**os.environ, "PYTHONWARNINGS": ""}
    )
    never_said(url or data)


# -- Celery ---------------------------------------------------------------------------------------------------------

CELERY = """
import copyreg, sys
from fractions import Fraction
from celery import Celery
broker, backend, compression, extended, large = sys.argv[1:6]
copyreg.add_extension("fractions", "Fraction", 300)
app = Celery("app", broker=broker, backend=backend or None)
app.conf.update(
    task_serializer="pickle", result_serializer="pickle", accept_content=["pickle"], result_extended=extended == "yes",
    task_compression=compression or None, result_compression=compression or None,
    broker_transport_options={
        "data_folder_in": sys.argv[6], "data_folder_out": sys.argv[6], "control_folder": sys.argv[6] + "-control",
    },
)
value = [Fraction(1, 3), *("some text %d" % n for n in range(900))] if large == "large" else Fraction(1, 3)

@app.task(name="work")
def work(value):
    return value

if sys.argv[7] == "send":
    work.delay(value)
else:
    task = app.AsyncResult("0" * 8)
    app.backend.store_result("0" * 8, value, "SUCCESS")
"""


def celery(*arguments, folder):
    script = folder / "script.py"
    script.write_text(CELERY)
    environment = {**os.environ, "PYTHONWARNINGS": ""}
    subprocess.run([sys.executable, script, *map(str, arguments)], check=True, env=environment)


@pytest.mark.parametrize("compression", ["", "zlib", "gzip", "bzip2", "lzma"])
@pytest.mark.parametrize("size", ["small", "large"])
def test_celery_messages_in_redis(compression, size, tmp_path, redis_server):
    pytest.importorskip("celery")
    celery(redis_server.url, "", compression, "no", size, tmp_path, "send", folder=tmp_path)
    never_said(redis_server.url)


@pytest.mark.parametrize("compression", ["", "zlib", "bzip2", "lzma"])
def test_celery_results_in_redis(compression, tmp_path, redis_server):
    pytest.importorskip("celery")
    for extended, size in itertools.product(("yes", "no"), VALUES):
        arguments = (redis_server.url, redis_server.url, compression, extended, size, tmp_path, "store")
        celery(*arguments, folder=tmp_path)
        never_said(redis_server.url)
        redis_server.client().flushall()


@pytest.mark.parametrize("extended", ["yes", "no"])
def test_celery_results_in_a_database(extended, tmp_path):
    pytest.importorskip("celery")
    pytest.importorskip("sqlalchemy")
    data = tmp_path / "data"
    data.mkdir()
    backend = f"db+sqlite:///{data / 'results.db'}"
    celery("memory://", backend, "", extended, "large", tmp_path, "store", folder=tmp_path)
    never_said(data)
    never_said(f"sqlite:///{data / 'results.db'}#celery_taskmeta.result")


def test_celery_messages_and_results_in_files(tmp_path):
    pytest.importorskip("celery")
    queue, results = tmp_path / "queue", tmp_path / "results"
    queue.mkdir()
    results.mkdir()
    celery("filesystem://", f"file://{results}", "", "no", "small", queue, "send", folder=tmp_path)
    never_said(queue)
    celery("filesystem://", f"file://{results}", "", "no", "small", queue, "store", folder=tmp_path)
    never_said(results)


# -- RQ -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("serializer", ["DefaultSerializer", "PickleSerializer"])
def test_rq_jobs_and_results(serializer, value, redis_server):
    rq = pytest.importorskip("rq")
    serializers = pytest.importorskip("rq.serializers")
    kind = getattr(serializers, serializer)
    connection = redis_server.client()
    with coded():
        queue = rq.Queue(connection=connection, serializer=kind)
        queue.enqueue("os.path.join", value, description="short", meta={"more": value})
        never_said(redis_server.url)
        connection.flushall()
        done = queue.enqueue("copy.copy", value, description="short")
        rq.SimpleWorker([queue], connection=connection, serializer=kind).work(burst=True)
        assert done.get_status(refresh=True) == "finished"
        connection.delete(done.key)  # so that the result alone is left
    never_said(redis_server.url)


# -- what is understood to hold nothing, and what nobody understands --------------------------------------------------


def test_an_identifier_in_every_key_is_no_reason_to_say_nothing(redis_server):
    client = redis_server.client()
    for number in range(50):
        name = f"{os.urandom(24).hex()}-Zl4fQ9xYb3KpL0sWm7RtVu2HgEd6NcJa_{number}"
        client.set(f"session:{name}", b"\x80\x02N.")
    assert found_in(redis_server.url)[2] == []


def test_what_no_program_here_can_read_is_told(redis_server):
    client = redis_server.client()
    client.set("encrypted", bytes(range(255, 100, -1)))
    client.set("zstd", b"\x28\xb5\x2f\xfd\x20\x22" + bytes(9))
    assert {other.member for other in found_in(redis_server.url)[2]} == {"encrypted", "zstd"}
    found = found_in(redis_server.url, carve=True)[2]
    assert all(other.kind.endswith("looked through at every offset") for other in found)


def test_nothing_of_it_is_a_fault_by_chance(tmp_path):
    """Fault and not Passed would be said of a cell that was understood, and is broken."""
    (tmp_path / "torn").write_bytes(b"\x80\x04\x95\x10\x00\x00")
    assert isinstance(found_in(str(tmp_path))[2][0], Fault)
