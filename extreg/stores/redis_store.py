"""Redis as a place, one server or a cluster: every string, and what is in every list, hash, set and stream."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from extreg.stores.credentials import Secrets, shown
from extreg.stores.extras import label, library, may_be_packed
from extreg.stores.items import Fault, Passed, describe
from extreg.stores.redis_pages import PAGES
from extreg.stores.store import Cell, Change, Part, PlaceError, StaleCursorError, Store, parts, read_only

# How many names are asked for at a time.
_NAMES: Final = 1000
# How many values are asked for at a time, and about how many bytes that should be.
_VALUES: Final = 512
_BYTES: Final = 1 << 23
_CONNECT, _ANSWER = 10.0, 60.0
_NAME = "name"
# GET and SET in one step: what somebody else wrote meanwhile stays, and so does the expiry.
_SWAP: Final = (
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL') return 1"
)


class _Node(NamedTuple):
    """A server with keys of its own: its ``name``, empty where there is one only, and the ``run`` it is in."""

    name: str
    run: str
    client: Any


class RedisStore:
    """The keys of a Redis database, or those that its URL's ``?match=`` lets through.

    A walk asks for names by SCAN, which locks nothing. A key that is there from beginning to end is told once, but for
    those that Redis gives twice when it makes its table smaller meanwhile.
    """

    def __init__(self, place: str) -> None:
        self._redis = library("redis", "redis")
        self._secrets = Secrets(place)
        self.place = shown(place)
        url, self._match = _without_match(place)
        options: dict[str, Any] = {"socket_connect_timeout": _CONNECT, "socket_timeout": _ANSWER}
        if "REDISCLI_AUTH" in os.environ:  # as redis-cli has it; what stands in the URL goes before
            options["password"] = os.environ["REDISCLI_AUTH"]
        try:
            self._client = self._redis.Redis.from_url(url, **options)
            self._cluster = bool(self._info(self._client, "cluster").get("cluster_enabled"))
            if self._cluster:
                self._client.close()
                self._client = self._redis.RedisCluster.from_url(url, **options)
            self._nodes = self._servers()
        except (self._redis.RedisError, OSError, ValueError) as error:
            raise self._broken(error) from None
        self._group = 32

    def _servers(self) -> list[_Node]:
        if not self._cluster:
            return [_Node("", self._run(self._client), self._client)]
        found = sorted(self._client.get_primaries(), key=lambda node: str(node.name))
        clients = [(node.name, self._client.get_redis_connection(node)) for node in found]
        return [_Node(name, self._run(client), client) for name, client in clients]

    def _run(self, client: Any) -> str:
        return str(self._info(client, "server").get("run_id", ""))

    def _info(self, client: Any, section: str) -> dict[str, Any]:
        """Return what a server says of itself, nothing where it does not say it to us."""
        try:
            found: dict[str, Any] = client.info(section)
        except self._redis.exceptions.NoPermissionError:
            client.ping()
            return {}
        return found

    def _broken(self, error: Exception) -> PlaceError:
        return PlaceError(f"{self.place}: {self._secrets.scrub(describe(error))}", _hint(error, self._redis))

    def parts(self, count: int) -> Sequence[str]:
        """Return the texts of `count` parts; each walks over all names, and reads the values of its own."""
        return parts(count)

    def cells(self, part: str, cursor: str | None = None) -> Iterator[Cell | Fault | Passed]:
        """Yield every string, and every element of the other types; names, too, where they may hold pickles."""
        wanted = Part.parse(part)
        behind = json.loads(cursor) if cursor is not None else None
        nodes = self._nodes
        if behind is not None:
            names = [node.name for node in nodes]
            if behind[0] not in names or nodes[names.index(behind[0])].run != behind[1]:
                raise StaleCursorError(
                    f"{self.place}: the server is not the one, or not in the run, that was read before",
                    "this part has to be read anew from its beginning",
                )
            nodes = nodes[names.index(behind[0]) :]
        try:
            for node in nodes:
                yield from self._keys(node, wanted, behind[2:] if behind is not None else None)
                behind = None
        except (self._redis.RedisError, OSError) as error:
            raise self._broken(error) from None

    def _keys(self, node: _Node, part: Part, behind: list[Any] | None) -> Iterator[Cell | Fault | Passed]:
        """Yield what is in the keys of one server, behind a place in its table, a key there, and a place in the key."""
        position = behind[0] if behind is not None else 0
        while True:
            following, names = node.client.scan(cursor=position, match=self._match, count=_NAMES)
            # Redis may give a name twice in one answer.
            keys = sorted({name for name in names if part.has(name)})
            first = None
            if behind is not None:
                first = _Begun(bytes.fromhex(behind[1]), behind[2])
                keys = [key for key in keys if key > first.key or (key == first.key and first.inner is not None)]
                behind = None
            while keys:
                group, keys = keys[: self._group], keys[self._group :]
                yield from self._values(node.client, group, _Cursor(node, position), first)
            if not following:
                return
            position = following

    def _values(
        self, client: Any, keys: list[bytes], cursor: "_Cursor", first: "_Begun | None"
    ) -> Iterator[Cell | Fault | Passed]:
        """Yield what is in some keys; in the first of them only what is behind a place, if it was begun with."""
        values = self._strings(client, keys)
        size = sum(len(value) for value in values if isinstance(value, bytes))
        self._group = max(1, min(_VALUES, _BYTES // (size // len(keys) + 1)))
        others = [key for key, value in zip(keys, values, strict=True) if value is None]
        kinds = dict(zip(others, self._each(client, "TYPE", others), strict=True))
        for key, value in zip(keys, values, strict=True):
            inner = first.inner if first is not None and first.key == key else None
            if inner is None and may_be_packed(key):
                yield Cell(f"name {label(key)}", key, cursor.at(key, _NAME))
            if isinstance(value, Exception):
                yield Fault(label(key), self._secrets.scrub(describe(value)))
            elif value is not None:
                yield Cell(label(key), value, cursor.at(key, None))
            elif isinstance(kinds[key], Exception):
                yield Fault(label(key), self._secrets.scrub(describe(kinds[key])))
            else:
                yield from self._elements(client, key, kinds[key].decode(), cursor, inner if inner != _NAME else None)

    def _strings(self, client: Any, keys: list[bytes]) -> list[Any]:
        """Return the strings that are the values of keys: None for what is none, an error for what is not given."""
        if not self._cluster:
            try:
                values: list[Any] = client.mget(keys)
            except self._redis.exceptions.NoPermissionError:
                pass  # for one of them
            else:
                return values
        return [None if _is_other(value) else value for value in self._each(client, "GET", keys)]

    def _each(self, client: Any, verb: str, keys: list[bytes]) -> list[Any]:
        """Return the answers, errors among them, to a command for each key."""
        if not keys:
            return []
        with client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.execute_command(verb, key)
            answers: list[Any] = pipeline.execute(raise_on_error=False)
        for answer in answers:
            if isinstance(answer, (self._redis.ConnectionError, self._redis.TimeoutError)):
                raise answer
        return answers

    def _elements(
        self, client: Any, key: bytes, kind: str, cursor: "_Cursor", inner: Any
    ) -> Iterator[Cell | Fault | Passed]:
        """Yield what is in a key that is no string, behind a page and a place in it."""
        pages = PAGES.get(kind)
        if pages is None:
            if kind != "none":  # which is gone meanwhile
                yield Passed(label(key), f"Redis {kind}")
            return
        page, behind = inner if inner is not None else (None, "")
        try:
            for position, elements in pages(client, key, page):
                for element in elements:
                    if element.place > behind:
                        found = cursor.at(key, [position, element.place])
                        yield Cell(f"{label(key)}{element.label}", element.data, found)
                behind = ""
        except self._redis.ResponseError as error:
            yield Fault(label(key), self._secrets.scrub(describe(error)))

    def swap(self, changes: Iterable[Change]) -> Iterator[bool]:
        """Put new strings into keys that hold the old ones, expiry kept; raises `ReadOnlyError` for other types."""
        swap = self._client.register_script(_SWAP)
        for change in changes:
            key, inner = json.loads(change.cursor)[3:]
            if inner is not None:
                raise read_only(f"{label(bytes.fromhex(key))} in {self.place}, which is no string,")
            try:
                yield bool(swap(keys=[bytes.fromhex(key)], args=[change.old, change.new]))
            except (self._redis.RedisError, OSError) as error:
                raise self._broken(error) from None

    def size(self) -> int | None:
        """Return how many keys there are; None where not all are read."""
        if self._match is not None:
            return None
        try:
            return sum(int(node.client.dbsize()) for node in self._nodes)
        except (self._redis.RedisError, OSError):
            return None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class _Begun(NamedTuple):
    """A key that was read in part: what is behind ``inner`` is left; nothing if that is None."""

    key: bytes
    inner: Any


class _Cursor:
    """Cursors for what is found at one position of a server's table."""

    def __init__(self, node: _Node, position: int) -> None:
        self._begin = json.dumps([node.name, node.run, position])[:-1]

    def at(self, key: bytes, inner: Any) -> str:
        """Return the cursor for a place in a key, None for its end."""
        return f'{self._begin}, "{key.hex()}", {"null" if inner is None else json.dumps(inner)}]'


def _is_other(answer: object) -> bool:
    """Tell whether the answer to GET says that the value is no string."""
    return isinstance(answer, Exception) and str(answer).startswith(("WRONGTYPE", "Operation against a key"))


def _without_match(place: str) -> tuple[str, str | None]:
    """Return the URL that redis-py understands, and the pattern of the keys that are meant."""
    split = urlsplit(place)
    parameters = parse_qsl(split.query, keep_blank_values=True)
    match = next((value for name, value in parameters if name == "match"), None)
    query = urlencode([item for item in parameters if item[0] != "match"])
    return urlunsplit(split._replace(query=query)), match


def _hint(error: Exception, redis: Any) -> str:
    if isinstance(error, redis.exceptions.NoPermissionError):
        return "the user needs the commands SCAN, TYPE, MGET, GET, LRANGE, HSCAN, SSCAN, ZSCAN and XRANGE: ACL SETUSER"
    if isinstance(error, redis.AuthenticationError):
        return "the password is taken from the environment variable REDISCLI_AUTH, or from the URL"
    return "what was read before holds; the same command goes on from there when it answers again"


def _is_store(store: RedisStore) -> Store:
    """Let the type checker see that it is one."""
    return store
