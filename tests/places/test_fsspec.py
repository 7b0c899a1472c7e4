"""Object stores and other file systems: S3 as moto serves it, HTTP, and fsspec's own memory."""

import functools
import http.server
import importlib
import os
import subprocess
import sys
import threading
import uuid

import pytest

from extreg.stores.items import Fault
from extreg.stores.opening import open_store
from extreg.stores.store import PlaceError, ReadOnlyError

from .conftest import everything, found_in, free_port, goes_on_behind_any_cursor, parts_add_up, sample, waited_for

fsspec = pytest.importorskip("fsspec")
pytestmark = [pytest.mark.slow, pytest.mark.once]


@pytest.fixture
def memory():
    name = uuid.uuid4().hex
    files = fsspec.filesystem("memory")
    for number in range(100):
        files.pipe(f"/{name}/a/{number:03}", sample(number))
    for number in range(30):
        files.pipe(f"/{name}/a/deep/{number}", sample(number))
    files.pipe(f"/{name}/a.b", b"beside a folder")
    yield f"memory://{name}"
    files.rm(f"/{name}", recursive=True)


def test_every_object_is_a_cell(memory):
    cells = goes_on_behind_any_cursor(memory, every=7)
    assert [key for key, *_ in cells][-2:] == ["a/deep/9", "a.b"]
    assert len(cells) == 131
    parts_add_up(memory)
    assert everything(open_store(f"{memory}/a.b"))[0][:2] == ("a.b", b"beside a folder")
    with pytest.raises(PlaceError, match="nothing of that name"):
        open_store(f"{memory}/gone")
    with pytest.raises(ReadOnlyError):
        open_store(memory).swap([])


def test_a_large_object_goes_through_a_file(memory, monkeypatch):
    module = importlib.import_module("extreg.stores.fsspec_store")
    monkeypatch.setattr(module, "READ_WHOLE", 50)
    assert len(everything(open_store(memory))) == 131
    assert found_in(memory)[1] == {"collections:OrderedDict": 130}


@pytest.fixture
def s3(monkeypatch, tmp_path):
    pytest.importorskip("moto")
    pytest.importorskip("s3fs")
    port = free_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cretOfSomeone")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    command = [sys.executable, "-m", "moto.server", "-p", str(port), "-H", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            import urllib.request

            waited_for(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/").close() or True, 60)
            yield server
        finally:
            server.terminate()
            fsspec.filesystem("s3").clear_instance_cache()


def test_s3_is_read(s3):
    files = fsspec.filesystem("s3", skip_instance_cache=True)
    files.mkdir("bucket")
    for number in range(130):
        files.pipe(f"bucket/some/{number % 3}/{number}.pickle", sample(number))
    place = "s3://bucket/some"
    cells = goes_on_behind_any_cursor(place, every=29)
    assert len(cells) == 130
    parts_add_up(place, counts=(3,))
    assert found_in(place)[1] == {"collections:OrderedDict": 130}
    with pytest.raises(PlaceError, match="nothing of that name"):
        open_store("s3://bucket/other")
    store = open_store(place)
    walk = store.cells("1/1")
    cursor = next(walk).cursor
    s3.terminate()
    s3.wait(20)
    with pytest.raises(PlaceError, match="s3://bucket/some: ") as caught:
        everything(store, cursor=cursor)
    assert "s3cret" not in str(caught.value)


def test_http_is_read_and_its_password_is_not_shown(tmp_path):
    pytest.importorskip("aiohttp")
    (tmp_path / "one.pickle").write_bytes(sample(1))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=os.fspath(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        place = f"http://127.0.0.1:{server.server_port}/one.pickle"
        assert [data for _, data, _ in everything(open_store(place))] == [sample(1)]
        store = open_store(f"{place}?token=s3cret")
        assert store.place == place
        assert "s3cret" not in repr(everything(store))
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(PlaceError) as caught:
        open_store(f"http://user:s3cret@127.0.0.1:{server.server_port}/one.pickle?token=0ther")
    assert "s3cret" not in str(caught.value)
    assert "0ther" not in str(caught.value)


def test_what_may_not_be_read_is_a_fault(memory, monkeypatch):
    store = open_store(memory)
    real = type(store._files).cat

    def refused(self, path, **options):
        found = real(self, path, **options)
        return {name: PermissionError("Forbidden") if name.endswith("/050") else data for name, data in found.items()}

    monkeypatch.setattr(type(store._files), "cat", refused)
    assert [cell for cell in store.cells("1/1") if isinstance(cell, Fault)] == [Fault("a/050", "Forbidden")]
