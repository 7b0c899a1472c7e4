"""Malformed registries: exit 2, one message that names file, line and cause, no traceback, and the file untouched."""

import json
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import tomli

from extreg.cli.main import main
from extreg.errors import RegistryError
from extreg.registry.model import Registry

pytestmark = pytest.mark.slow

CASES = Path(__file__).parent.parent / "cases" / "malformed"
EXPECTED: dict[str, list[dict[str, object]]] = json.loads((CASES / "expected.json").read_text(encoding="utf-8"))
COMMANDS = {
    "list": ["list"],
    "list-json": ["list", "--format", "json"],
    "show": ["show", "240"],
    "add": ["add", "--no-import", "package.module:New"],
    "retire": ["retire", "--now", "240"],
}
LINT = ["lint"]
# What is beyond an interpreter's limits, each says in its own words.
LIMITS = ("huge-integer", "deep-brackets")

# What mutants are made of: every table, and the layouts that people write by hand.
ORIGINALS = (
    """\
format = 1
include = ["paylib"]  # which has codes of its own

[ranges.billing]
first = 40000
last = 40999
modules = ["billing", "invoices"]

[codes]
240 = "shop.money:Money"
4711 = "shop.models:Order"  # the busiest of all

[load-only]
18220 = "shop.models:Basket"

[moved]
4711 = ["shop.orders:Order"]

[retired]
9120 = "shop.legacy:Cart"

[reducers]
"shop.money:Money" = "shop.money:reduce_money"
""",
    """\
format=1
codes.240 = "a:B"
codes."241" = 'a:C'

[moved]
240 = [
  "x:Y", # the first home
  "z:Z",
]
[ranges]
big = {first = 65536, last = 70000}
""",
)
INK = [
    '"',
    "'",
    "[",
    "]",
    "{",
    "}",
    "=",
    "#",
    ".",
    ",",
    "\n",
    "\r",
    "\t",
    " ",
    ":",
    "0",
    "-",
    "é",
    "\x00",
    "\x7f",
    '"""',
]


def mutant(seed: int) -> str:
    """Return one of the originals after one to three accidents."""
    chance = random.Random(seed)
    text = chance.choice(ORIGINALS)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text) + 1)
        lines = text.split("\n")
        accidents: tuple[Callable[[], str], ...] = (
            lambda at=at, text=text: text[:at] + text[at + chance.randint(1, 12) :],
            lambda at=at, text=text: text[:at] + chance.choice(INK) + text[at:],
            lambda lines=lines: "\n".join([*lines, chance.choice(lines)]),
            lambda lines=lines: "\n".join(chance.sample(lines, len(lines))),
            lambda at=at, text=text: text[:at] + text[at : at + 9][::-1] + text[at + 9 :],
            lambda at=at, text=text: text[:at],
        )
        text = chance.choice(accidents)()
    return text


def is_sound(text: str) -> bool:
    """Whether a mutant survived its accidents: by tomli, and by the strictest reader, which has tests of its own."""
    try:
        tomli.loads(text)
        Registry.parse(text)
    except (ValueError, RegistryError):
        return False
    return True


def seeds(count: int) -> list[int]:
    found: list[int] = []
    seed = 0
    while len(found) < count:
        if not is_sound(mutant(seed)):
            found.append(seed)
        seed += 1
    return found


def check_refused(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command says what is wrong, on stderr only, and leaves the file alone."""
    raw = path.read_bytes()
    lines = raw.count(b"\n") + 1
    for arguments in COMMANDS.values():
        assert main([*arguments, "--registry", str(path)]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("extreg:") == 1
        for message in said.err.removeprefix("extreg: ").splitlines():
            place = re.match(rf"{re.escape(str(path))}:(\d+): .{{10,}}", message)
            assert place is not None, message
            assert 1 <= int(place[1]) <= lines
        assert path.read_bytes() == raw


def check_linted(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lint says the same as findings, or as one error where the file is not even text."""
    raw = path.read_bytes()
    assert main([*LINT, "--registry", str(path)]) in (1, 2)
    said = capsys.readouterr()
    assert re.search(rf"^(extreg: )?{re.escape(str(path))}:\d+: ", said.out + said.err)
    code = main([*LINT, "--registry", str(path), "--format", "json"])
    said = capsys.readouterr()
    if said.err:
        assert (code, said.out) == (2, "")
    else:
        findings = json.loads(said.out)["findings"]
        assert findings
        assert all(isinstance(found["line"], int) and found["path"] == str(path) for found in findings)
        assert code == (2 if any(found["rule"] == "malformed" for found in findings) else 1)
    assert path.read_bytes() == raw


def test_there_is_a_file_for_every_expectation() -> None:
    assert {path.stem for path in CASES.glob("*.toml")} == set(EXPECTED)
    assert len(EXPECTED) > 70


@pytest.mark.parametrize("name", EXPECTED)
def test_written_by_hand(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each fault is named with its line and cause, all of them in one round."""
    path = tmp_path / "registry.toml"
    path.write_bytes((CASES / f"{name}.toml").read_bytes())
    main(["list", "--registry", str(path)])
    messages = capsys.readouterr().err.removeprefix("extreg: ").splitlines()
    assert len(messages) == len(EXPECTED[name])
    for message, fault in zip(messages, EXPECTED[name], strict=True):
        assert message.startswith(f"{path}:{fault['line']}: ")
        if sys.implementation.name == "cpython" or name not in LIMITS:
            assert str(fault["message"]) in message
    check_refused(path, capsys)
    check_linted(path, capsys)


@pytest.mark.parametrize("seed", seeds(200))
def test_mutant(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "registry.toml"
    path.write_bytes(mutant(seed).encode())
    check_refused(path, capsys)
    check_linted(path, capsys)


@pytest.mark.parametrize("name", ["same-code-twice", "latin-1", "huge-integer"])
@pytest.mark.parametrize("command", [COMMANDS["list"], COMMANDS["add"], LINT], ids=" ".join)
def test_in_a_process_of_its_own(
    command: list[str], name: str, registry_file: Path, run_extreg: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    registry_file.write_bytes(raw := (CASES / f"{name}.toml").read_bytes())
    done = run_extreg(*command)
    assert done.returncode in ((1, 2) if "lint" in command else (2,))
    assert "Traceback" not in done.stdout + done.stderr
    assert re.search(r"registry\.toml(\"|:)", done.stdout + done.stderr)
    assert registry_file.read_bytes() == raw
