"""Redaction: harmless values of the same length, what cannot be replaced listed, and a proof that it loads."""

import collections
import datetime
import pickle
import subprocess
import sys
import uuid
from decimal import Decimal
from typing import Any

import pytest

from extreg.errors import MalformedPickleError
from extreg.jar.redacting import redact

from .conftest import Project

PROTOCOLS = pytest.mark.parametrize("protocol", range(6))


class Person:
    """Somebody."""

    def __init__(self, **attributes: object) -> None:
        self.__dict__.update(attributes)


def made(value: object, protocol: int = 4) -> "tuple[Any, dict[str, str]]":
    """Return what a redacted pickle of `value` loads as, and the roles of what was left by how it is shown."""
    data = pickle.dumps(value, protocol)
    redaction = redact(data)
    assert len(redaction.data) == len(data)
    return pickle.loads(redaction.data), {kept.shown: kept.role for kept in redaction.kept}


@PROTOCOLS
def test_values_are_replaced_and_attributes_are_not(protocol: int) -> None:
    ada = Person(name="Ada Lovelace", age=36, height=1.65, big=1 << 70, on=True, off=None, tags=["poet", "math"])
    found, _ = made(ada, protocol)
    assert list(vars(found)) == list(vars(ada))
    assert [type(value) for value in vars(found).values()] == [type(value) for value in vars(ada).values()]
    assert (found.on, found.off, len(found.name)) == (True, None, 12)
    for name in ("name", "age", "height", "big"):
        assert getattr(found, name) != getattr(ada, name), name
    assert b"Ada" not in redact(pickle.dumps(ada, protocol)).data


@PROTOCOLS
def test_what_is_the_same_stays_so_and_what_differs_too(protocol: int) -> None:
    found, _ = made(Person(a="secret", b="secret", c="Secret", d={f"n{number}" for number in range(50)}), protocol)
    assert found.a == found.b != found.c
    assert len(found.d) == 50


@PROTOCOLS
def test_keys_and_arguments_are_left_and_listed(protocol: int) -> None:
    day, price = datetime.date(2024, 2, 29), Decimal("12.50")
    found, left = made(Person(day=day, price=price, by={"ada@example.org": "secret"}), protocol)
    assert (found.day, found.price, list(found.by)) == (day, price, ["ada@example.org"])
    assert found.by["ada@example.org"] != "secret"
    assert left['"12.50"'] == "argument"
    assert left['"ada@example.org"'] == "key"
    assert '"by"' not in left


def test_a_value_that_is_a_key_besides_is_left_and_listed() -> None:
    found, left = made(Person(a="secret-name", b={"secret-name": 1}, c="a"))
    assert found.a == "secret-name"
    assert left['"secret-name"'] == "key"


def test_items_are_values_and_states_of_classes_that_know_them_are_not() -> None:
    found, left = made(collections.deque(["secret"], maxlen=5))
    assert (len(found), found.maxlen, found[0] == "secret") == (1, 5, False)
    assert left == {"5": "argument"}
    assert redact(b"\x80\x04\x83\x2c\x01)\x81\x8c\x06secretb.").kept[0].role == "state"
    assert redact(b"\x80\x04\x8c\x06secretQ.").kept[0].role == "id"


def test_what_is_read_as_a_value_and_stands_elsewhere_is_told() -> None:
    value = "secret-name"
    _, left = made(Person(a=value, b=Decimal("1"), c=[uuid.uuid3(uuid.NAMESPACE_DNS, "x")], d="secret-name and more"))
    assert left.get('b"secret-name"') is None
    data = pickle.dumps([value, Exception("".join(["secret-", "name", "!"]))], 4)
    kept = redact(data).kept
    assert ("argument", '"secret-name!"') in [(one.role, one.shown) for one in kept]
    assert ("value", 'b"secret-name"') in [(one.role, one.shown) for one in kept]


@PROTOCOLS
@pytest.mark.parametrize(
    "value",
    [
        "",
        b"",
        0,
        -1,
        "é\u20ac\n'\"\\",
        b"\x00\xff" * 40,
        1 << 5000,
        -(1 << 64),
        float("inf"),
        -0.0,
        1e-300,
        complex(1, -2),
        bytearray(b"abc"),
        frozenset({1, "b"}),
        [True, False, 1, 0],
        range(3),
        "x" * 70_000,
    ],
    ids=lambda value: type(value).__name__,
)
def test_everything_keeps_its_type(value: Any, protocol: int) -> None:
    if value == float("inf") and protocol == 0 and sys.implementation.name == "pypy":
        pytest.skip("PyPy does not load what it dumps of infinity")
    found, _ = made([value], protocol)
    assert type(found[0]) is type(value)


def test_what_is_no_pickle_is_refused() -> None:
    with pytest.raises(MalformedPickleError):
        redact(b"no pickle")


SECRET = "Order('secret-number', [Line('secret-product')])"


def test_what_is_in_no_repository_is_redacted_by_default(project: Project) -> None:
    project.dump("order.pickle", SECRET)
    done = project.run("jar", "add", "order.pickle")
    assert done.returncode == 0, done.stderr
    assert "3 values replaced\n" in done.stderr
    (record,) = project.records()
    assert "\nredacted = true\n" in record.read_text(encoding="utf-8")
    for file in (record, record.with_suffix(".pickle")):
        assert b"secret" not in file.read_bytes()
    assert project.run("jar", "check").returncode == 0
    assert "is there already" in project.run("jar", "add", "order.pickle").stderr
    assert "(redacted)" in project.run("jar", "list").stdout


@pytest.mark.once
def test_a_file_of_the_repository_is_kept_as_it_is(project: Project) -> None:
    project.dump("order.pickle", SECRET)
    project.dump("other.pickle", "Line('secret')")
    for line in (["init", "-q"], ["add", "order.pickle"]):
        subprocess.run(["git", *line], cwd=project.folder, check=True)
    assert project.run("jar", "add", "order.pickle", "other.pickle").returncode == 0
    texts = [path.read_text(encoding="utf-8") for path in project.records()]
    assert ['"secret' in text for text in texts] == ["redacted" not in text for text in texts]
    assert sorted("redacted" in text for text in texts) == [False, True]
    project.dump("order.pickle", "Order('secret', 1)")
    assert project.run("jar", "add", "--redact", "order.pickle").returncode == 0
    assert sum("redacted" in path.read_text(encoding="utf-8") for path in project.records()) == 2


@pytest.mark.parametrize(
    ("method", "said"),
    [
        (
            "if state['number'] != 'secret-number': raise ValueError('no number')",
            "redacted, it does not load: ValueError: no number",
        ),
        (
            "self.number = 1 if state['number'] == 'secret-number' else 'x'",
            "redacted, it becomes objects of other types",
        ),
        ("raise KeyError('all')", "nobody can say what a redacted one should become: it does not load: KeyError"),
    ],
)
def test_what_cannot_be_proved_is_refused(project: Project, method: str, said: str) -> None:
    project.dump("order.pickle", SECRET)
    project.change("shop.py", "class Order:", f"class Order:\n    def __setstate__(self, state):\n        {method}\n")
    done = project.run("jar", "add", "order.pickle")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"order.pickle was not added: {said}" in done.stderr
    assert "extreg jar add --no-redact order.pickle" in done.stderr
    assert not project.records()
    assert project.run("jar", "add", "--no-redact", "order.pickle").stdout.startswith("tests/jar/shop.Order-")


def test_what_was_left_is_listed_for_whoever_adds_it(project: Project) -> None:
    project.dump("order.pickle", "Order({'secret-key': 1}, [])")
    done = project.run("jar", "add", "order.pickle")
    assert done.returncode == 0
    assert "1 value replaced; 1 left as they are, which you should look at" in done.stderr
    assert 'left: a key at .number["secret-key"]: "secret-key"' in done.stderr
