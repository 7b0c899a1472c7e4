"""Whatever stands in the place of the start-up cache means a cold start, and neither an error nor a wait."""

import copyreg
import marshal
import os
import random
import socket
import subprocess
import sys

import pytest

import extreg
from extreg.startup import CHECKSUM, HEADER, LARGEST, cache_path, checksum, read

pytestmark = pytest.mark.slow

FILE = """
[codes]
240 = "collections:OrderedDict"
500 = "decimal:Decimal"
[load-only]
501 = "fractions:Fraction"
[moved]
500 = ["old:Decimal"]
[retired]
502 = "old:Thing"
[reducers]
"decimal:Decimal" = "copyreg:pickle"
[ranges.mine]
first = 70000
last = 70009
"""
PROGRAM = """
import copyreg, sys
sys.dont_write_bytecode, sys.pycache_prefix = False, None
import extreg
extreg.install(sys.argv[1])
print(sorted(copyreg._inverted_registry))
"""
POSIX = pytest.mark.skipif(os.name != "posix", reason="made by mkfifo and the like")


@pytest.fixture(autouse=True)
def caches_are_written(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)


def is_warm(path):
    """Whether the cache of `path` would be read."""
    try:
        with open(cache_path(str(path)), "rb") as file:
            return file.read(len(HEADER)) == HEADER
    except OSError:
        return False


def start(path):
    """Install in a process of its own: one that waits for ever is killed."""
    line = [sys.executable, "-c", PROGRAM, str(path)]
    return subprocess.run(line, capture_output=True, text=True, timeout=30, check=False)


# What may stand there instead of a file of ours


def a_folder(place):
    os.mkdir(place)


def a_socket(place):
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(os.path.dirname(place))  # the path of a socket is a short one
        server.bind(os.path.basename(place))


def a_huge_file(place):
    with open(place, "wb") as file:
        file.write(HEADER)
        file.truncate(LARGEST + 1)


def a_file_that_nobody_may_read(place):
    with open(place, "wb") as file:
        file.write(HEADER)
    os.chmod(place, 0)


def a_link_to(target):
    def link(place):
        os.symlink(target, place)

    link.__name__ = f"a_link_to_{os.path.basename(target)}"
    return link


REPLACEABLE = (
    os.mkfifo if hasattr(os, "mkfifo") else a_folder,
    a_socket,
    a_huge_file,
    a_file_that_nobody_may_read,
    a_link_to("/dev/zero"),
    a_link_to("/dev/tty"),
    a_link_to("nowhere"),
    a_link_to("."),
)


@POSIX
@pytest.mark.parametrize("put", [*REPLACEABLE, a_folder], ids=lambda put: put.__name__)
def test_what_is_not_a_file_of_ours_is_passed_over_and_replaced(put, write, monkeypatch):
    path = write(FILE)
    place = cache_path(str(path))
    os.mkdir(os.path.dirname(place))
    monkeypatch.chdir(path.parent)
    put(place)
    done = start(path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[240, 500, 501, 502]\n", "")
    assert is_warm(path) == (put is not a_folder)
    assert start(path).stdout == "[240, 500, 501, 502]\n"


@POSIX
def test_a_link_to_itself_in_the_place_of_the_folder_is_passed_over(write):
    path = write(FILE)
    os.symlink("__pycache__", path.parent / "__pycache__")
    done = start(path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[240, 500, 501, 502]\n", "")


def test_what_a_killed_process_of_our_number_left_does_not_keep_the_cache_from_being_written(write):
    """In a container the program has the same process number at every start."""
    path = write(FILE)
    place = cache_path(str(path))
    os.mkdir(os.path.dirname(place))
    left = f"{place}.{os.getpid()}"
    with open(left, "wb") as file:
        file.write(b"half of a cache")
    read(str(path))
    assert is_warm(path)
    assert sorted(os.listdir(os.path.dirname(place))) == sorted([os.path.basename(left), os.path.basename(place)])


def test_a_path_that_no_system_has_is_an_error_that_names_it(write):
    with pytest.raises(extreg.ExtregError, match=r"cannot read .*nu.*ll.toml: embedded null"):
        extreg.install("./nu\0ll.toml")


# Payloads with the right checksum that say something else than entries


def put_payload(path, entries):
    payload = marshal.dumps(entries)
    with open(cache_path(str(path)), "wb") as file:
        file.write(HEADER + checksum(payload) + payload)


def entries_of(path):
    with open(cache_path(str(path)), "rb") as file:
        return marshal.loads(file.read()[len(HEADER) + CHECKSUM :])


ODD = (None, True, 7, -1.5, "text", b"bytes", (), (1,), [], [[]], {}, {"a": 1}, {(): []}, {1: {}}, {("a", "b"): None})


def replaced(values, position, value):
    return (*values[:position], value, *values[position + 1 :])


def wrong_shapes(entry):
    """Yield payloads that differ from ``[entry]`` in a type, or in the length of a part."""
    *_, rest = entry
    for odd in ODD:
        yield odd or [None]
        yield [odd]
        yield [(*entry, odd)]
        yield from ([replaced(entry, place, odd)] for place in range(6) if type(odd) is not type(entry[place]))
        for place in (1, 2, 3):
            yield [replaced(entry, place, (*entry[place], odd))]
            for part in (0, 1):
                if type(odd) is not type(entry[place][part]):
                    yield [replaced(entry, place, replaced(entry[place], part, odd))]
        keys = [key for key in rest if type(odd) is not type(rest[key]) and (key != "former" or odd != {})]
        yield from ([replaced(entry, 5, {**rest, key: odd})] for key in keys)
        if type(odd) is not str:
            yield [replaced(entry, 4, {"decimal:Decimal": odd})]
            yield [replaced(entry, 5, {**rest, "include": (odd,)})]
        yield [replaced(entry, 5, {**rest, "ranges": {"mine": odd}})]
        yield [replaced(entry, 5, {**rest, "ranges": {"mine": {**rest["ranges"]["mine"], "first": [odd]}}})]
        if type(odd) is not tuple:
            yield [replaced(entry, 5, {**rest, "moved": {500: odd}})]
            yield [replaced(entry, 5, {**rest, "aliases": {500: odd}})]
            yield [replaced(entry, 5, {**rest, "former": {"old": {"Decimal": odd}}})]
        if type(odd) is not str:
            yield [replaced(entry, 5, {**rest, "renamed": {"decimal": odd}})]
    yield [entry[:-1]]
    yield [list(entry)]
    for place in (1, 2, 3):
        names, codes = entry[place]
        for table in ((names, codes[:-1]), (names, codes[:-4]), (names, codes + b"1234"), ("a\n" + names, codes)):
            yield [replaced(entry, place, table)]
    yield from ([replaced(entry, 5, {other: rest[other] for other in rest if other != key})] for key in rest)


def is_hashable(value):
    try:
        hash(value)
    except TypeError:
        return False
    return True


def test_a_payload_of_another_shape_means_a_cold_start(write):
    path = write(FILE)
    expected = read(str(path))
    (entry,) = entries_of(path)
    with open(cache_path(str(path)), "rb") as file:
        good = file.read()
    count = 0
    for payload in wrong_shapes(entry):
        put_payload(path, payload)
        assert read(str(path)) == expected, payload
        with open(cache_path(str(path)), "rb") as file:
            assert file.read() == good, payload
        count += 1
    assert count > 200


def mutated(value, chance):
    """Return `value` with one of the values in it, at any depth, replaced by an odd one."""
    if isinstance(value, (str, bytes)) and chance.random() < 0.7:
        start = chance.randrange(len(value) + 1)
        return chance.choice((value[:start], value[start:], value[:start] + value[start + 1 :], value + value))
    if not isinstance(value, (list, tuple, dict)) or not value or chance.random() < 0.15:
        return chance.choice(ODD)
    if isinstance(value, dict):
        rows = list(value.items())
        position = chance.randrange(len(rows))
        rows[position] = mutated(rows[position], chance)
        return dict(row for row in rows if isinstance(row, tuple) and len(row) == 2 and is_hashable(row[0]))
    position = chance.randrange(len(value))
    return type(value)((*value[:position], mutated(value[position], chance), *value[position + 1 :]))


def fuzz(write, count):
    path = write(FILE.partition("[reducers]")[0])
    read(str(path))
    entries = entries_of(path)
    chance = random.Random(2026)
    for _ in range(count):
        put_payload(path, mutated(mutated(entries, chance), chance))
        extreg.install(path).uninstall()
        assert copyreg._inverted_registry == {}


def test_no_payload_makes_an_install_fail(write):
    fuzz(write, 2_000)


@pytest.mark.soak
def test_no_payload_of_many_makes_an_install_fail(write):
    fuzz(write, 200_000)
