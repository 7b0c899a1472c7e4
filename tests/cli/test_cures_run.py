"""The commands that messages offer, run as they are printed: in a world where the message really arises."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from .test_cures import OFFERED, VALUE

pytestmark = [pytest.mark.slow, pytest.mark.once]

SHOP = {
    "shop.py": "class Order: pass\nclass Basket: pass\nclass Bill: pass\n",
    "old.py": "from shop import Bill\n",
}
ROWS = '300 = "shop:Order"\n'


def file(codes: str = ROWS, *, load_only: str = "", retired: str = "", more: str = "") -> str:
    tables = {"codes": codes, "load-only": load_only, "retired": retired}
    return f"format = 1\n{more}" + "".join(f"\n[{name}]\n{rows}" for name, rows in tables.items() if rows)


@dataclass(frozen=True)
class World:
    """A message and its cure.

    ``line`` is a command that says ``offer`` (what follows ``extreg``) in a folder with the registry, and ``files``.
    Before that is run, ``hand`` is written, which is what the message asks for besides, and what stands for something
    in the offer is filled in.  The cure ends with ``cured``, and ``line`` after that with ``after``.
    """

    line: str
    offer: str
    registry: str | None = file()
    files: dict[str, str] = field(default_factory=dict)
    hand: dict[str, str] = field(default_factory=dict)
    fill: dict[str, str] = field(default_factory=dict)
    cured: int = 0
    after: int = 0
    git: tuple[str, ...] = ()


COMMIT = "git -c user.name=n -c user.email=e@x commit -q -m m"
INIT = ("git init -q -b main", "git add -A", COMMIT)
CONFLICT = (
    *INIT,
    "git checkout -q -b theirs",
    "cp theirs.toml registry.toml",
    f"{COMMIT} -a",
    "git checkout -q main",
    "cp ours.toml registry.toml",
    f"{COMMIT} -a",
    "git -c user.name=n -c user.email=e@x merge -q theirs",
)
SIDES = {"ours.toml": file(f'{ROWS}301 = "shop:Basket"\n'), "theirs.toml": file(f'{ROWS}302 = "shop:Bill"\n')}
BASE = {"base.toml": file()}
FULL = file('7 = "shop:Order"\n', more='\n[ranges.tiny]\nfirst = 7\nlast = 7\nallocate = "hash"\n')
MOVED = '{}\n\n[moved]\n300 = ["shop:Gone"]\n'

CENSUS = {
    "registry": file("", load_only=ROWS),
    "files": {"pyproject.toml": '[tool.extreg]\nplaces = ["data"]\n', "data/p": "(dp0\n."},
}
TAKEN = (*INIT, "extreg scan --journal c.json")
COUNTED = r"printf '\200\002\203\054\001.' > data/p; rm c.json; extreg scan --journal c.json"
PARTS = (("1/2", "c.json"), ("2/2", "d.json"))
# An order under protocol 0, which is text, and one with a state; and a jar that holds the first.
PICKLE = "(ishop\nOrder\np0\n."
SECRET = "(ishop\nOrder\np0\n(dS'a'\nS'secret'\nsb."
RECORD = f"""\
format = 1
subject = "shop:Order"
protocol = 0
sha256 = "{sha256(PICKLE.encode()).hexdigest()}"
names = ["shop:Order"]
[bytes]
tree = "shop:Order\\n"
[loads]
tree = "shop:Other\\n"
"""
JAR = {"tests/jar/a.pickle": PICKLE, "tests/jar/a.toml": RECORD}
PARTICULAR = (
    "class Order:\n    def __setstate__(self, state):\n        if state['a'] != 'secret': raise ValueError('no')\n"
)

WORLDS = {
    # The file
    "there is none": World("list", "init", registry=None),
    "a path that is none": World(
        "list --registry new.toml", "init", registry=None, fill={"init": "--registry new.toml init"}
    ),
    "is there already": World("init", "list", after=1),
    "is there already, add": World("init", "add TARGET", fill={"TARGET": "shop:Basket"}, after=1),
    "what comes after init": World(
        "init --registry new.toml", "add MODULE:CLASS", fill={"MODULE:CLASS": "shop:Basket"}, after=1
    ),
    "a code twice": World(
        "lint", "add shop:Basket", registry=file(f'{ROWS}300 = "shop:Basket"\n'), hand={"registry.toml": file()}
    ),
    "conflict markers": World("lint", "resolve", files=SIDES, git=CONFLICT, after=1),  # until it is added
    "unmerged": World("lint", "resolve", files=SIDES, git=(*CONFLICT, "cp ours.toml registry.toml"), after=1),
    "unsorted": World("lint", "lint --fix", registry=file('301 = "shop:Basket"\n300 = "shop:Order"\n')),
    "taken in an include": World(
        "lint",
        "add --code N TARGET",
        registry=file('300 = "shop:Order"\n', more='include = ["lib"]\n'),
        files={"lib/__init__.py": "", "lib/registry.toml": file('300 = "shop:Basket"\n')},
        hand={"registry.toml": file('301 = "shop:Bill"\n', more='include = ["lib"]\n')},
        fill={"N": "302", "TARGET": "shop:Order"},
    ),
    "live twice, in an include": World(
        "lint",
        "demote 300",
        registry=file('300 = "shop:Order"\n', more='include = ["lib"]\n'),
        files={"lib/__init__.py": "", "lib/registry.toml": file('301 = "shop:Order"\n')},
    ),
    "outside its module's range": World(
        "lint",
        "add shop:Order",
        registry=file(more='\n[ranges.shop]\nfirst = 1000\nlast = 1999\nallocate = "hash"\nmodules = ["shop"]\n'),
        hand={
            "registry.toml": file(
                "", more='\n[ranges.shop]\nfirst = 1000\nlast = 1999\nallocate = "hash"\nmodules = ["shop"]\n'
            )
        },
    ),
    # What pickles hold
    "a field gained": World(
        "lint --against before/registry.toml",
        "jar add FILE",
        files={
            "before/registry.toml": file(),
            "before/shop.py": "class Order: pass\n",
            "shop.py": "class Order:\n    def __init__(self):\n        self.id = 1\n",
            "old.pickle": "cshop\nOrder\n.",
        },
        fill={"FILE": "old.pickle"},
        after=1,
    ),
    # What targets lead to
    "misspelt": World(
        "lint", "move shop:Ordr MODULE:NAME", registry=file('300 = "shop:Ordr"\n'), fill={"MODULE:NAME": "shop:Order"}
    ),
    "moved away": World(
        "lint",
        "move gone:Order MODULE:NAME",
        registry=file('300 = "gone:Order"\n'),
        files={"gone/__init__.py": ""},
        fill={"MODULE:NAME": "shop:Order"},
    ),
    "gone for good": World(
        "lint", "retire --now gone:Order", registry=file('300 = "gone:Order"\n'), files={"gone/__init__.py": ""}
    ),
    "re-exported": World("lint", "move 300 shop:Bill", registry=file('300 = "old:Bill"\n')),
    "re-exported, and has a code": World(
        "lint", "demote 300", registry=file('300 = "old:Bill"\n301 = "shop:Bill"\n'), after=1
    ),
    "re-exported, to be confirmed": World("lint --fix", "lint --import --fix", registry=file('300 = "old:Bill"\n')),
    "dangerous": World("lint", "retire --now 300", registry=file('300 = "os:system"\n')),
    "dead": World("lint", "retire --now 300", registry=file('300 = "pathlib:Path"\n')),
    "another spelling": World(
        "lint",
        "move 300 shop:ﬁ".replace("ﬁ", "fi"),
        registry=file('300 = "shop:ﬁ"\n'),
        files={"shop.py": "class fi: pass\n"},
    ),
    "the main module": World(
        "lint", "move 300 MODULE:NAME", registry=file('300 = "__main__:Order"\n'), fill={"MODULE:NAME": "shop:Order"}
    ),
    "a local class": World(
        "lint",
        "move 300 MODULE:NAME",
        registry=file('300 = "shop:f.<locals>.Order"\n'),
        fill={"MODULE:NAME": "shop:Order"},
    ),
    "a call of add_extension": World(
        "lint",
        "add shop:Bill --code 305",
        files={"calls.py": 'import copyreg\ncopyreg.add_extension("shop", "Bill", 305)\n'},
        hand={"calls.py": ""},
    ),
    "a call that takes a code": World(
        "lint",
        "show 300",
        files={"calls.py": 'import copyreg\ncopyreg.add_extension("shop", "Basket", 300)\n'},
        hand={"calls.py": ""},
    ),
    # What was promised
    "reassigned, for it moved": World(
        "lint --against base.toml",
        "move 300 shop:Basket",
        registry=file('300 = "shop:Basket"\n'),
        files={**BASE, "shop.py": "class Basket: pass\nclass Bill: pass\n"},
        hand={"registry.toml": file()},
    ),
    "reassigned": World(
        "lint --against base.toml",
        "add it anew",
        registry=file('300 = "shop:Basket"\n'),
        files=BASE,
        hand={"registry.toml": file()},
        fill={"it anew": "shop:Basket"},
    ),
    "revived": World(
        "lint --against base.toml",
        "add shop:Order",
        files={"base.toml": file("", retired=ROWS)},
        hand={"registry.toml": file("", retired=ROWS)},
    ),
    "straight to live": World(
        "lint --against base.toml --rolling", "demote 301", registry=file(f'{ROWS}301 = "shop:Basket"\n'), files=BASE
    ),
    "a rule that is none": World("lint --select zzz", "rule", after=2),
    "ignores nothing": World(
        "lint", "rule", registry=file('300 = "shop:Order"  # extreg: ignore[no-such-rule] x\n'), after=1
    ),
    "the driver is not set up": World(
        "lint", "git-setup", files={".gitattributes": "registry.toml merge=extreg\n"}, git=INIT
    ),
    "the driver is missing": World("git-setup --check", "git-setup", git=INIT),
    # The life of a code
    "a code that is none": World("show 999", "list", after=1),
    "a target without a code": World("show shop:Basket", "add shop:Basket"),
    "a target that nearly has one": World("show shop:Ordr", "list", after=1),
    "no target": World("show Odd", "list", after=1),
    "one that should have none": World("show os:system", "rule dangerous-target", after=1),
    "retire a live one": World("retire 300", "demote 300"),
    "retire a live one now": World("retire 300", "retire --now 300", after=1),
    "live already": World("add --load-only shop:Order", "demote 300"),
    "load-only already": World("add shop:Order", "promote 300", registry=file("", load_only=ROWS)),
    "not of that state": World("demote 300", "show 300", registry=file("", load_only=ROWS), after=1),
    "live by another code": World("promote 301", "demote 300", registry=file(load_only='301 = "shop:Order"\n')),
    "then the other": World(
        "promote 301",
        "promote 301",
        registry=file(load_only='301 = "shop:Order"\n'),
        hand={"registry.toml": file("", load_only='300 = "shop:Order"\n301 = "shop:Order"\n')},
        after=1,
    ),
    "spent": World("add --code 300 shop:Basket", "add shop:Basket", after=1),
    "a full range": World(
        "add --range tiny shop:Basket", "add shop:Basket --range NAME", registry=FULL, fill={"NAME": "default"}, after=0
    ),
    "an object, not its class": World(
        "add shop:one",
        "add shop:Order",
        files={"shop.py": "class Order: pass\none = Order()\n"},
        registry=file(""),
        after=1,
    ),
    "a module": World(
        "add shop:old",
        "add old:CLASS",
        files={"shop.py": "import old\n", "old.py": "class Bill: pass\n"},
        fill={"CLASS": "Bill"},
        after=1,
    ),
    "no such module here": World("add nowhere:Order", "add --no-import nowhere:Order", after=1),
    "through a folder": World("add src.lib:Bill", "add lib:Bill", files={"src/lib.py": "class Bill: pass\n"}, after=1),
    "no use": World("add os:system", "rule dangerous-target", after=1),
    # Other names
    "another live code has the name": World(
        "alias 300 shop:Basket", "demote 301", registry=file(f'{ROWS}301 = "shop:Basket"\n'), after=1
    ),
    "a load-only code has the name": World(
        "alias 300 shop:Basket",
        "move --no-import 301 shop:Order",
        registry=file(load_only='301 = "shop:Basket"\n'),
    ),
    "it is an alias of another": World(
        "alias 300 shop:Bill",
        "show 301",
        registry=file(f'{ROWS}301 = "shop:Basket"\n\n[aliases]\n301 = ["shop:Bill"]\n'),
        after=1,
    ),
    "to what is an alias": World(
        "move 300 shop:Bill",
        "show 301",
        registry=file(f'{ROWS}301 = "shop:Basket"\n\n[aliases]\n301 = ["shop:Bill"]\n'),
        after=1,
    ),
    "another name on some Pythons": World(
        "lint --no-source", "alias 300 pathlib._local:PosixPath", registry=file('300 = "pathlib:PosixPath"\n')
    ),
    "no other name": World("alias 300 shop:Order", "show 300", after=1),
    "no module": World(
        "move --module shop:Order old",
        "move CODE NEW",
        fill={"CODE": "300", "NEW": "shop:Basket"},
        after=2,
    ),
    # What a census says
    "a census that counts the code": World(
        "retire 300 --census c.json", "scan --code 300", **CENSUS, git=(*TAKEN, COUNTED), cured=1, after=1
    ),
    "a part of a census": World(
        "retire 300 --census c.json",
        "census merge c.json FILE --output WHOLE",
        **CENSUS,
        git=(*TAKEN, *(f"rm -f {name}; extreg scan --part {part} --journal {name}" for part, name in PARTS)),
        fill={"FILE": "d.json", "WHOLE": "whole.json"},
        after=1,
    ),
    "a census of something else": World(
        "retire 300 --census c.json",
        "scan --journal FILE",
        **CENSUS,
        git=(*TAKEN, "mkdir other; cp data/p other; rm c.json; extreg scan other --journal c.json"),
        fill={"FILE": "all.json"},
        after=1,
    ),
    # The jar
    "nothing in the jar": World("jar check", "jar add FILE", files={"order": PICKLE}, fill={"FILE": "order"}),
    "no such entry": World("jar check b", "jar list", files=JAR, after=2),
    "it has become something else": World("jar check", "jar check --update", files=JAR),
    "a folder to be kept": World("jar add .", "jar add --from . --each 1", files={"order": PICKLE}, after=2),
    "many to be kept": World("jar add many", "jar add --from many --each 2", files={"many": PICKLE * 101}, after=2),
    "nothing to be kept": World(
        "jar add", "jar add --from PATH --each 2", files={"order": PICKLE}, fill={"PATH": "order"}, after=2
    ),
    "cannot be redacted": World(
        "jar add order", "jar add --no-redact order", files={"order": SECRET, "shop.py": PARTICULAR}, after=1
    ),
    "no sample": World(
        "lint --extend-select no-sample",
        "jar add FILE",
        files={"order": PICKLE},
        fill={"FILE": "order"},
    ),
    # The others
    "no cache": World("compile --check", "compile"),
    "a folder to disassemble": World("dis .", "scan", fill={"scan": "scan ."}, after=2),
    "an unknown code": World("scan . --code shop:Nothing", "list", after=2),
}


def run(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line in a shell that knows `extreg`, as somebody who pastes it does."""
    script = f'extreg() {{ {shlex.quote(sys.executable)} -m extreg "$@"; }}\n{text}\n'
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "NO_COLOR": "1"}
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("name", WORLDS)
def test_a_cure_cures(name: str, tmp_path: Path) -> None:
    world = WORLDS[name]
    folder = tmp_path / "project"
    registry = {} if world.registry is None else {"registry.toml": world.registry}
    for path, text in {**SHOP, **registry, **world.files}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    for step in world.git:
        run(step, folder)
    before = run(f"extreg {world.line}", folder)
    said = before.stdout + before.stderr
    assert "Traceback" not in said
    spoken = re.search(rf"\bextreg (?:--registry \S+ )?{re.escape(world.offer)}(?![\w-])", said)
    assert spoken is not None, said
    for path, text in world.hand.items():
        (folder / path).write_text(text, encoding="utf-8")
    offer = spoken[0]
    for placeholder, value in world.fill.items():
        offer = re.sub(rf"\b{re.escape(placeholder)}\b", value, offer)
    cured = run(offer, folder)
    assert cured.returncode == world.cured, (offer, cured.stdout + cured.stderr, said)
    after = run(f"extreg {world.line}", folder)
    assert after.returncode == world.after, (offer, after.stdout + after.stderr, said)


# What no world is needed for: by the source that says it, or by the command that is spoken of.
NOT_RUN = {
    "a page on the command, or an example in its help": re.compile(
        r"(?:add|alias|census|commands|counted|compile|completion|demo|demote|diff|dis|init|jar|jar_add|jar_check|jar_list|lint|list|merge_driver|move|parsing|promote|resolve|retire"
        r"|rewrite|rule|scan|schema|show|suggest|git_setup)\.py \| (?!git-setup|init$)"
    ),
    "a page of documentation": re.compile(r"rule_pages\.py|__init__\.py"),
    "spoken of, and not offered": re.compile(r"names\.py \| move the code|suggest\.py|targets\.py \| lint names them"),
    "for a shell within git": re.compile(r"git_setup\.py \| git-setup$|git_setup\.py \| init"),
    "of an environment: tests/autoload and tests/doctor have some of their own to change": re.compile(
        r"(?:autoload|run|state|environment|site_files|one_command|conduct|surroundings|starting|explaining|doctor|__init__)\.py"
        r" \| (?:autoload|run|doctor|lint says|compile|git-setup|promote|retire|add)"
    ),
    "after a git command that undoes the merge": re.compile(r"driver\.py \| resolve"),
    "of a race: the same once more": re.compile(r"fix\.py \| lint --fix$"),
    "said by loads, which has no command line": re.compile(r"permits\.py"),
    "said by a load of a retired code; tests/startup/test_retired.py runs it": re.compile(r"retirement\.py"),
}


def test_every_offer_is_run_or_it_is_said_why_not() -> None:
    offered = [f"extreg {world.offer}" for world in WORLDS.values()]
    left = []
    for source, offer in OFFERED:
        if any(reason.match(f"{source} | {offer}") for reason in NOT_RUN.values()):
            continue
        words = [
            r"\S+" if VALUE in word or word in ("TARGET", "NAME", "CLASS") else re.escape(word)
            for word in offer.split()
        ]
        # What is offered may be followed by words of the message.
        shapes = [re.compile(rf"extreg {' '.join(words[:count])}$") for count in range(1, len(words) + 1)]
        if not any(shape.match(known) for shape in reversed(shapes) for known in offered):
            left.append((source, offer))
    assert left == [], "\n".join(map(str, left))
