"""Redis as a place: a server that each test starts."""

import json
import pickle
import subprocess
import time
import zlib

import pytest

from extreg.stores.items import Fault
from extreg.stores.opening import open_store
from extreg.stores.store import Change, PlaceError, ReadOnlyError, StaleCursorError

from .conftest import RedisServer, everything, found_in, free_port, goes_on_behind_any_cursor, parts_add_up, sample

pytest.importorskip("redis")
pytestmark = [pytest.mark.slow, pytest.mark.once]


@pytest.fixture
def filled(redis_server):
    """Every type, small and large."""
    client = redis_server.client()
    for number in range(300):
        client.set(f"string:{number}", sample(number))
    client.set(b"\xff\xfe", sample(1))
    client.set(sample(5), b"a pickle for a name")
    client.rpush("list", *map(sample, range(450)))
    client.hset("hash", mapping={f"field {number}": sample(number) for number in range(900)})
    client.hset("hash of pickles", mapping={sample(number): sample(number) for number in range(3)})
    client.sadd("set", *map(sample, range(700)))
    client.zadd("zset", {sample(number): number for number in range(700)})
    for number in range(410):
        client.xadd("stream", {"body": sample(number), "kind": "x"})
    return redis_server


def test_every_value_of_every_type_is_a_cell(filled):
    cells = everything(open_store(filled.url))
    keys = [key for key, *_ in cells]
    assert len(set(keys)) == len(keys)
    values = [data for _, data, _ in cells]
    expected = 300 + 1 + 1 + 2 + 450 + 900 + 2 * 3 + 700 + 700 + 2 * 410
    assert len(cells) == expected
    assert sum(value.startswith(b"\x80") for value in values) == expected - 1 - 1 - 410
    for key in ("string:7", "list[449]", "hash.field 12", "\\xff\\xfe", "name \\xff\\xfe"):
        assert key in keys
    assert open_store(filled.url).size() == 308


def test_a_walk_goes_on_behind_any_cursor(filled):
    goes_on_behind_any_cursor(filled.url, every=61)


def test_the_parts_are_everything(filled):
    parts_add_up(filled.url)


def test_match_says_which_keys_are_meant(filled):
    store = open_store(f"{filled.url}?match=string:1*")
    assert {key.partition(":")[0] for key, *_ in everything(store)} == {"string"}
    assert len(everything(store)) == 111
    assert store.size() is None
    assert store.place == f"{filled.url}?match=string:1*"


def test_a_server_that_goes_away_is_named_and_the_walk_goes_on_where_it_was(filled):
    store = open_store(filled.url)
    all_of_it = everything(store)
    walk = store.cells("1/1")
    cursor = [next(walk) for _ in range(1200)][-1].cursor
    filled.client().client_kill_filter(_type="normal", skipme=True)
    rest = list(store.cells("1/1", cursor))
    assert [cell.key for cell in rest] == [key for key, *_ in all_of_it[1200:]]
    filled.stop()
    with pytest.raises(PlaceError, match=f"127.0.0.1:{filled.port}") as caught:
        everything(store, cursor=cursor)
    assert "goes on from there" in caught.value.hint
    with pytest.raises(PlaceError, match="redis://"):
        open_store(filled.url)
    filled.start()
    with pytest.raises(StaleCursorError, match="not the one, or not in the run"):
        everything(open_store(filled.url), cursor=cursor)


def test_what_a_user_may_not_read_is_named(filled):
    client = filled.client()
    client.execute_command("ACL", "SETUSER", "reader", "on", ">secret", "~string:*", "~set", "+@all", "-sscan")
    place = f"redis://reader:secret@127.0.0.1:{filled.port}/0"
    faults = [cell for cell in open_store(place).cells("1/1") if isinstance(cell, Fault)]
    named = {fault.member for fault in faults}
    assert {"list", "hash", "set", "zset", "stream"} <= named
    assert not any(name.startswith("string") for name in named)
    assert len(everything_but_faults(place)) >= 300
    client.execute_command("ACL", "SETUSER", "reader", "-scan")
    with pytest.raises(PlaceError, match="no permissions") as caught:
        list(open_store(place).cells("1/1"))
    assert "SCAN" in caught.value.hint


def everything_but_faults(place):
    return [cell for cell in open_store(place).cells("1/1") if not isinstance(cell, Fault)]


def test_the_password_comes_from_the_environment_and_goes_nowhere(tmp_path, monkeypatch):
    server = RedisServer(tmp_path)
    try:
        client = server.client()
        client.set("key", sample(1))
        client.config_set("requirepass", "s3cret/word@x")
        with pytest.raises(PlaceError) as caught:
            open_store(server.url)
        assert "REDISCLI_AUTH" in str(caught.value)
        monkeypatch.setenv("REDISCLI_AUTH", "s3cret/word@x")
        assert len(everything(open_store(server.url))) == 1
        monkeypatch.delenv("REDISCLI_AUTH")
        place = f"redis://:s3cret%2Fword%40x@127.0.0.1:{server.port}/0"
        store = open_store(place)
        assert store.place == server.url
        assert len(everything(store)) == 1
        for wrong in (f"redis://:wr0ng-pw@127.0.0.1:{server.port}/0", "redis://:wr0ng-pw@127.0.0.1:1/0"):
            with pytest.raises(PlaceError) as caught:
                open_store(wrong)
            assert "wr0ng" not in str(caught.value)
    finally:
        server.stop()


def test_a_value_is_swapped_if_nobody_else_wrote_it_and_keeps_its_expiry(filled):
    client = filled.client()
    client.set("string:1", sample(1), ex=1000)
    store = open_store(filled.url)
    cursors = {cell.key: cell.cursor for cell in store.cells("1/1")}
    changes = [Change(cursors["string:1"], sample(1), b"new"), Change(cursors["string:2"], b"other", b"new")]
    assert list(store.swap(changes)) == [True, False]
    assert (client.get("string:1"), client.get("string:2")) == (b"new", sample(2))
    assert client.ttl("string:1") > 900
    with pytest.raises(ReadOnlyError, match="no string"):
        list(store.swap([Change(cursors["list[3]"], b"", b"")]))


def test_a_keyspace_that_grows_meanwhile_loses_nothing(redis_server):
    client = redis_server.client()
    client.mset({f"old {number}": sample(number) for number in range(3000)})
    walk = open_store(redis_server.url).cells("1/1")
    keys = [next(walk).key for _ in range(500)]
    client.mset({f"new {number}": sample(number) for number in range(60_000)})
    keys += [cell.key for cell in walk]
    assert len(set(keys)) == len(keys)
    assert {f"old {number}" for number in range(3000)} <= set(keys)


def test_what_lies_around_the_pickles_is_taken_off(redis_server):
    client = redis_server.client()
    pickled = b"\x80\x02\x83\x2c\x01."
    client.set("zlib", zlib.compress(pickled))
    client.set("json", json.dumps({"body": "gAKDLAEu"}))
    client.rpush("list", b"!" + pickled, b"garbage \x00\x01")
    codes, _, others = found_in(redis_server.url)
    assert codes == {300: 3}
    assert [(other.member, other.kind) for other in others] == [("list[1]", "of unknown kind")]


def test_a_cluster_is_read_on_all_its_servers(tmp_path):
    redis = pytest.importorskip("redis")
    servers = []
    try:
        for number in range(3):
            folder = tmp_path / str(number)
            folder.mkdir()
            options = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
            servers.append(RedisServer(folder, *options))
        hosts = [f"127.0.0.1:{server.port}" for server in servers]
        subprocess.run(
            ["redis-cli", "--cluster", "create", *hosts, "--cluster-yes"], check=True, stdout=subprocess.DEVNULL
        )
        end = time.monotonic() + 30
        while any(server.client().cluster("info")["cluster_state"] != "ok" for server in servers):
            assert time.monotonic() < end
            time.sleep(0.1)
        client = redis.RedisCluster(host="127.0.0.1", port=servers[0].port)
        for number in range(500):
            client.set(f"key:{number}", sample(number))
        client.rpush("list", *map(sample, range(5)))
        place = f"redis://127.0.0.1:{servers[0].port}"
        cells = goes_on_behind_any_cursor(place, every=83)
        assert len(cells) == 505
        assert sorted(pickle.loads(data)["n"] for key, data, _ in cells if key.startswith("key")) == [*range(500)]
        parts_add_up(place, counts=(2,))
        assert open_store(place).size() == 501
    finally:
        for server in servers:
            server.stop()
