"""Life commands on a registry with includes, in any order, never leave one that lint or install() refuses."""

import random
from pathlib import Path

import pytest

import extreg
from extreg.cli.main import main

pytestmark = pytest.mark.once

OURS = """\
format = 1
include = ["paylib"]

[ranges.paid]
first = 70000
last = 70020
allocate = "next"

[codes]
240 = "shop:A"
70003 = "shop:B"

[load-only]
310 = "shop:C"

[retired]
299 = "shop:Gone"
"""
THEIRS = """\
format = 1
include = ["baselib"]

[codes]
241 = "paylib:Pay"
70004 = "paylib:Bill"

[load-only]
311 = "paylib:Old"
312 = "shop:D"

[retired]
298 = "paylib:Gone"
"""
BASE = """\
format = 1

[codes]
242 = "baselib:Base"
313 = "shop:E"

[retired]
243 = "baselib:Gone"
"""
TARGETS = [f"shop:{name}" for name in "ABCDEFGHIJ"] + [
    "shop:Gone",
    "paylib:Pay",
    "paylib:Bill",
    "paylib:Old",
    "paylib:Gone",
    "baselib:Base",
    "baselib:Gone",
]
CODES = [str(code) for code in (240, 241, 242, 243, 244, 298, 299, 310, 311, 312, 313, 70003, 70004, 70005, 5)]
# Nobody is kept from calling a new class as an old one was; lint says so, and is right.
GIVEN_AGAIN = ("former-name-in-use", "ambiguous-former-name")


def command(dice: random.Random) -> list[str]:
    """Return a random life command, sensible or not."""
    verb = dice.choice(["add", "add", "add", "promote", "demote", "retire", "move", "module", "alias"])
    if verb == "add":
        options = dice.choice(
            [[], ["--load-only"], ["--range", "hot"], ["--range", "paid"], ["--code", dice.choice(CODES)]]
        )
        more = dice.choice([[], ["--load-only"]]) if options[:1] == ["--code"] else []
        return ["add", "--no-import", *options, *more, dice.choice(TARGETS)]
    if verb == "module":
        return ["move", "--no-import", "--module", *dice.sample(["shop", "shop.sub", "store", "paylib"], 2)]
    wanted = dice.choice(CODES + TARGETS)
    if verb == "alias":
        return ["alias", wanted, *dice.sample([*TARGETS, "shop:L", "shop:M", "store:N"], dice.randint(1, 2))]
    if verb == "move":
        return ["move", "--no-import", wanted, dice.choice(TARGETS)]
    return [verb, *dice.choice([[], ["--now"]]), wanted] if verb == "retire" else [verb, wanted]


def run_some(folder: Path, seed: int, commands: int, capsys: pytest.CaptureFixture[str]) -> int:
    """Run random commands and check the registry after each that changed it; return how many did."""
    registry = folder / "registry.toml"
    registry.write_text(OURS)
    for package, text in (("paylib", THEIRS), ("baselib", BASE)):
        (folder / package).mkdir(exist_ok=True)
        (folder / package / "__init__.py").touch()
        (folder / package / "registry.toml").write_text(text)
    dice = random.Random(seed)
    changed = 0
    for _ in range(commands):
        line, before = command(dice), registry.read_text()
        code = main(line)
        said = capsys.readouterr()
        assert code in (0, 1), (line, said.err)
        if registry.read_text() == before:
            continue
        assert code == 0, line
        changed += 1
        assert extreg.lint(registry, sources=False, ignore=GIVEN_AGAIN) == (), (seed, line, said)
        extreg.install(registry)
        extreg.uninstall()
    return changed


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_no_command_leaves_a_registry_that_is_refused(here, capsys) -> None:
    assert sum(run_some(here, seed, 40, capsys) for seed in range(12)) > 60


@pytest.mark.soak
def test_no_command_leaves_a_registry_that_is_refused_soak(here, capsys) -> None:
    assert sum(run_some(here, seed, 60, capsys) for seed in range(1000, 1300)) > 3000
