"""A new version of a state, rolled out step by step: real processes, each with the source of its release."""

import json
import subprocess
import sys
from itertools import product

import pytest

PROGRAM = """
import base64, copyreg, json, pickle, sys
copyreg.add_extension("shop", "User", 4711)
import shop
stored, protocols = json.load(sys.stdin), range(2, pickle.HIGHEST_PROTOCOL + 1)
loaded = {}
for release, pickles in stored.items():
    try:
        users = [pickle.loads(base64.b64decode(data)) for data in pickles]
        loaded[release] = sorted({json.dumps(shop.seen(user)) for pair in users for user in pair})
        assert all(user.friends[0] is user for user, _ in users), "what a state shares is shared"
    except Exception as error:
        loaded[release] = f"{type(error).__name__}: {error}"
pair = shop.made()
dumped = [base64.b64encode(pickle.dumps(pair, protocol)).decode() for protocol in protocols]
print(json.dumps({"dumped": dumped, "loaded": loaded}))
"""

# Four kinds of class, each in the two shapes of its life; `made` is two users, `seen` what is told of one.
DICT = (
    """
class User:
    def __init__(self, name):
        self.name, self.friends = name, [self]
def made():
    return User("Ada Lovelace"), User("Grace Hopper")
def seen(user):
    return [*user.name.split(" ")]
""",
    """
def up(state):
    given, _, family = state["name"].partition(" ")
    return {"given": given, "family": family, "friends": state["friends"]}
def down(state):
    return {"name": f"{state.pop('given')} {state.pop('family')}", **state}
@versioned(NEW)
class User:
    def __init__(self, given, family):
        self.given, self.family, self.friends = given, family, [self]
def made():
    return User("Ada", "Lovelace"), User("Grace", "Hopper")
def seen(user):
    return [user.given, user.family]
""",
)
SLOTS = (
    """
class User:
    __slots__ = ("friends", "name")
    def __init__(self, name):
        self.name, self.friends = name, [self]
def made():
    return User("Ada Lovelace"), User("Grace Hopper")
def seen(user):
    return [*user.name.split(" ")]
""",
    """
def up(state):
    _, slots = state
    given, _, family = slots["name"].partition(" ")
    return None, {"given": given, "family": family, "friends": slots["friends"]}
def down(state):
    _, slots = state
    return None, {"friends": slots["friends"], "name": f"{slots['given']} {slots['family']}"}
@versioned(NEW)
class User:
    __slots__ = ("family", "friends", "given")
    def __init__(self, given, family):
        self.given, self.family, self.friends = given, family, [self]
def made():
    return User("Ada", "Lovelace"), User("Grace", "Hopper")
def seen(user):
    return [user.given, user.family]
""",
)
FROZEN = (
    """
from dataclasses import dataclass, field
@dataclass(frozen=True, slots=True)
class User:
    name: str
    friends: list = field(default_factory=list, compare=False)
def made():
    users = User("Ada Lovelace"), User("Grace Hopper")
    for user in users:
        user.friends.append(user)
    return users
def seen(user):
    return [*user.name.split(" ")]
""",
    """
from dataclasses import dataclass, field
def up(state):
    name, friends = state
    return [*name.split(" "), friends]
def down(state):
    given, family, friends = state
    return [f"{given} {family}", friends]
@versioned(NEW)
@dataclass(frozen=True, slots=True)
class User:
    given: str
    family: str
    friends: list = field(default_factory=list, compare=False)
def made():
    users = User("Ada", "Lovelace"), User("Grace", "Hopper")
    for user in users:
        user.friends.append(user)
    return users
def seen(user):
    return [user.given, user.family]
""",
)
GAINED = (
    """
class User:
    def __init__(self, given, family):
        self.given, self.family, self.friends = given, family, [self]
def made():
    return User("Ada", "Lovelace"), User("Grace", "Hopper")
def seen(user):
    return [user.given, user.family]
""",
    """
def up(state):
    return {**state, "active": True}
def down(state):
    del state["active"]
    return state
@versioned(NEW)
class User:
    def __init__(self, given, family):
        self.given, self.family, self.friends, self.active = given, family, [self], True
def made():
    return User("Ada", "Lovelace"), User("Grace", "Hopper")
def seen(user):
    assert user.active
    return [user.given, user.family]
""",
)
KINDS = {"dict": DICT, "slots": SLOTS, "frozen": FROZEN, "gained": GAINED}
BOTH = ['["Ada", "Lovelace"]', '["Grace", "Hopper"]']
IMPORT = "from extreg.reduce import versioned\n"


def undecorated(kind):
    return KINDS[kind][0]


def decorated(kind, arguments):
    """The first shape under the decorator, which stands above all others."""
    lines = KINDS[kind][0].splitlines(keepends=True)
    place = next(at for at, line in enumerate(lines) if line.startswith(("@", "class")))
    return IMPORT + "".join([*lines[:place], f"@versioned({arguments})\n", *lines[place:]])


def second(kind, arguments):
    return IMPORT + KINDS[kind][1].replace("NEW", arguments)


@pytest.fixture
def run(tmp_path):
    """Run releases, each in a process that loads what all that ran before it dumped; then each loads all that."""

    def ask(release, source, stored):
        folder = tmp_path / release
        folder.mkdir(exist_ok=True)
        (folder / "shop.py").write_text(source)
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=folder, input=json.dumps(stored), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def run(sources):
        dumped = {name: ask(name, source, {})["dumped"] for name, source in sources.items()}
        return dumped, {name: ask(name, source, dumped)["loaded"] for name, source in sources.items()}

    return run


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_class_that_had_no_version_gets_its_second_shape_in_three_steps(run, kind):
    releases = {
        "a": undecorated(kind),
        "b": second(kind, "2, {1: up}, write=1, reverse={1: down}"),
        "c": second(kind, "2, {1: up}"),
        "d": second(kind, "3, {1: up, 2: lambda state: state}, write=2, reverse={1: down, 2: lambda state: state}"),
        "e": second(kind, "3, {1: up, 2: lambda state: state}"),
    }
    dumped, loaded = run(releases)
    for one, other in product(releases, repeat=2):
        if abs(ord(one) - ord(other)) <= 1 or one > other:
            assert loaded[one][other] == BOTH, f"{one} loads what {other} dumped"
    # Which is what the steps are for: nobody skips one.
    assert loaded["a"]["c"] != BOTH
    assert loaded["c"]["e"].startswith("StateVersionError: shop:User: the pickled state has version 3")
    assert dumped["a"] == dumped["b"], "byte for byte what the undecorated class dumps"
    assert dumped["c"] == dumped["d"], "byte for byte what version 2 dumps"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_class_that_had_a_version_gets_its_next_one_in_two_steps(run, kind):
    releases = {
        "a": decorated(kind, "2, {1: dict}"),
        "b": second(kind, "3, {1: dict, 2: up}, write=2, reverse={2: down}"),
        "c": second(kind, "3, {1: dict, 2: up}"),
    }
    dumped, loaded = run(releases)
    for one, other in product(releases, repeat=2):
        if (one, other) != ("a", "c"):
            assert loaded[one][other] == BOTH, f"{one} loads what {other} dumped"
    assert loaded["a"]["c"].startswith("StateVersionError: shop:User: the pickled state has version 3")
    assert dumped["a"] == dumped["b"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dict", "frozen"])
def test_the_first_version_itself_is_rolled_out_without_a_change_of_shape(run, kind):
    releases = {"a": undecorated(kind), "b": decorated(kind, "1, write=1"), "c": decorated(kind, "1")}
    dumped, loaded = run(releases)
    for one, other in product(releases, repeat=2):
        if (one, other) != ("a", "c"):
            assert loaded[one][other] == BOTH, f"{one} loads what {other} dumped"
    assert loaded["a"]["c"] != BOTH
    assert dumped["a"] == dumped["b"]
