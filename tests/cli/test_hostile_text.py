"""Text that is not to be trusted: whatever a file says, a terminal shows it and does not obey it."""

import ast
import json
import os
import pickle
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import extreg.cli
from extreg.cli.commands import COMMANDS
from extreg.cli.main import main
from extreg.errors import ConflictError, ExtregError, RegistryError
from extreg.printable import printable
from extreg.registry.model import Registry

pytestmark = pytest.mark.slow

# A title set, a colour by a C1 control, a line that turns round, isolates, no width, marks, separators, tags, a line of
# its own, and a half of a surrogate pair.
VISIBLE_PART = "\x1b]0;owned\x07\x9b31m\x7f\u202egnp\u2066\u2069\u200b\u200f\u061c\ufeff\u2028\u2029\U000e0041\ufe0f"
HOSTILE = f"x{VISIBLE_PART}\r\nFORGED: line"
ROWS = 'format = 1\n\n[codes]\n300 = "shop:Order"\n'


def toml(text: str) -> str:
    """Return `text` as a TOML string in which everything is escaped."""
    return '"' + "".join(f"\\U{ord(letter):08x}" for letter in text) + '"'


def check(shown: str) -> None:
    """Make sure that nothing raw comes out."""
    raw = {letter for letter in shown if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}} - {"\n"}
    assert {hex(ord(letter)) for letter in raw | (set(shown) & {"\ufe0f"})} == set(), ascii(shown)
    assert not [line for line in shown.split("\n") if line.startswith("FORGED")], shown


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "registry.toml").write_text(ROWS)
    return folder


Told = Callable[..., str]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """Run a command and return all that it says, which is checked; and make sure that the hostile text was in it."""

    def run(*arguments: str, code: int | None = None) -> str:
        ended = main(arguments)
        said = capsys.readouterr()
        check(said.out)
        check(said.err)
        assert code is None or ended == code, said
        return said.out + said.err

    return run


FORMATS = ("text", "json", "github", "gitlab", "junit", "sarif")


def test_the_path_that_pyproject_names(project: Path, told: Told) -> None:
    """In everything that every command says of the file."""
    folder = project / HOSTILE
    folder.mkdir()
    (project / "pyproject.toml").write_text(f"[tool.extreg]\nregistry = {toml(f'{HOSTILE}/registry.toml')}\n")
    assert "\\x1b]0;owned" in told("list", code=2)
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").write_text("class Order: pass\n")
    assert "\\u202e" in told("init", code=0)
    for words in LINES:
        told(*words.split())
    assert {words.partition(" ")[0] for words in LINES} >= {
        command.name for command in COMMANDS
    } - NO_REGISTRY - REPLACES_THE_PROCESS
    for shown in FORMATS:
        (folder / "registry.toml").write_text(ROWS + '301 = "nowhere:Gone"\n')
        told("lint", "--format", shown, code=1)
    (folder / "registry.toml").write_text("format = 7\n\x1b")
    told("lint", code=2)
    told("list", code=2)


def test_another_process_is_told_likewise(project: Path, run_extreg) -> None:
    (project / HOSTILE).mkdir()
    (project / "pyproject.toml").write_text(f"[tool.extreg]\nregistry = {toml(f'{HOSTILE}/registry.toml')}\n")
    for arguments in (("--", "true"), (HOSTILE,), ("--registry", HOSTILE, "--", "true"), (f"--{HOSTILE}",)):
        done = run_extreg("run", *arguments, cwd=project)
        assert done.returncode == 2
        check(done.stderr)
        assert "\\x1b]0;owned" in done.stderr
    (project / HOSTILE / "registry.toml").write_text(ROWS)
    done = run_extreg("run", HOSTILE, cwd=project)
    assert done.returncode == 127
    check(done.stderr)


NO_REGISTRY = {"rule", "schema", "demo", "init", "merge-driver", "completion"}
REPLACES_THE_PROCESS = {"run"}  # test_another_process_is_told_likewise
LINES = (
    "add --no-import shop:Order",
    "add shop:Basket",
    "move 300 shop:Basket",
    "alias 300 shop:Basket shop:Line",
    "demote shop:Order",
    "promote shop:Order",
    "retire --now shop:Order",
    "list",
    "list --format json",
    "show shop:Order",
    "diff HEAD",
    "diff registry.toml",
    "compile",
    "compile --check",
    "lint",
    "lint --history",
    "lint --against HEAD",
    "lint --diff",
    "scan .",
    "dis registry.toml",
    "suggest .",
    "rewrite --to codes .",
    "resolve",
    "git-setup",
    "git-setup --check",
    "jar list",
    "jar check",
    "scan . --journal census.json",
    "census merge census.json",
    "doctor",
    "autoload status",
)


@pytest.mark.parametrize(
    "rows",
    [
        f"include = [{toml(HOSTILE)}]\n[codes]\n",
        f"include = [{toml('x' + VISIBLE_PART)}]\n[codes]\n",
        f"[codes]\n300 = {toml(f'shop:{HOSTILE}')}\n",
        f"[codes]\n{toml(HOSTILE)} = 'shop:Order'\n",
        f"[{toml(HOSTILE)}]\n[codes]\n",
        f"{toml(HOSTILE)} = 1\n[codes]\n",
        f"[codes]\n[reducers]\n{toml(HOSTILE)} = {toml(HOSTILE)}\n",
        f"[codes]\n300 = 'shop:Order'\n[moved]\n300 = [{toml(HOSTILE)}]\n",
        f"[codes]\n300 = 'shop:Order'\n[aliases]\n300 = [{toml(HOSTILE)}]\n",
        f"[codes]\n300 = 'shop:Order'\n[aliases]\n300 = [{toml(VISIBLE_PART + ':A')}]\n",
        f"[codes]\n[renamed]\n{toml(HOSTILE)} = {toml(HOSTILE)}\n",
        f"[codes]\n[renamed]\n{toml('x' + VISIBLE_PART)} = {toml('y' + VISIBLE_PART)}\n",
        f"[codes]\n[renamed.{toml(HOSTILE)}]\n{toml(HOSTILE)} = {toml(HOSTILE)}\n",
        f"[ranges.{toml(HOSTILE)}]\nfirst = 300\nlast = 300\nallocate = {toml(HOSTILE)}\n[codes]\n",
        f"[ranges.{toml(HOSTILE)}]\nfirst = 300\nlast = 300\nallocate = 'next'\n[codes]\n300 = 'shop:A'\n",
        f"[codes]\n300 = 'shop:A'  # {HOSTILE}\n",
        "[codes]\n300 = 'shop:A'  # \u202e\u2066\n301 = 'a b'\n",
        f"[codes]\n300 = '{VISIBLE_PART}'\n",
    ],
)
def test_what_the_registry_says(rows: str, project: Path, told: Told) -> None:
    (project / "registry.toml").write_text(f"format = 1\n{rows}", encoding="utf-8", newline="")
    for words in (
        *LINES[:2],
        "list",
        "show 300",
        "lint --fix",
        "lint --diff",
        "diff registry.toml",
        "compile",
        "scan .",
    ):
        told(*words.split())
    for shown in FORMATS:
        told("lint", "--format", shown)
    (project / "conflict").write_text(f"<<<<<<< ours\nformat = 1\n{rows}=======\n{ROWS}>>>>>>> theirs\n", newline="")
    told("resolve", "--registry", "conflict")
    for name in ("base", "ours", "theirs"):
        (project / name).write_text(f"format = 1\n{rows}" if name == "ours" else ROWS, newline="")
    told("merge-driver", "base", "ours", "theirs", HOSTILE)


def test_what_pickles_refer_to(project: Path, told: Told) -> None:
    def named(module: str, name: str) -> bytes:
        parts = (part.encode("utf-8", "surrogatepass") for part in (module, name))
        return b"\x80\x04" + b"".join(b"X" + len(part).to_bytes(4, "little") + part for part in parts) + b"\x93."

    data = named("shop", HOSTILE) + named(HOSTILE, "Order") + named("a\ud800", "B") + pickle.dumps([HOSTILE], 0)
    flat = f"x{VISIBLE_PART}"
    data += b"cshop\n" + flat.encode() + b"\n." + named("shop", flat)
    folder = project / HOSTILE
    folder.mkdir()
    (folder / f"{HOSTILE}.pickle").write_bytes(data * 20)
    (folder / "broken").write_bytes(data[:-3])
    (folder / f"{HOSTILE}.gz").write_bytes(b"\x1f\x8b\x08 this is none")
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr(HOSTILE, data)
        archive.writestr(f"{HOSTILE}2", data[:-2])
    for shown in ("text", "json"):
        told("scan", str(folder), "--format", shown)
        told("scan", str(folder), "--code", "300", "--format", shown)
        told("suggest", str(folder), "--format", shown)
        told("suggest", str(folder), "--apply", "--format", shown)
        for to in ("codes", "names"):
            told("rewrite", "--to", to, str(folder), "--format", shown)
    for file in folder.iterdir():
        told("dis", str(file))
    told("dis", f"{folder}/a.zip::{HOSTILE}2")
    told("dis", f"{folder}/a.zip::{HOSTILE}3")
    check((project / "registry.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("letter", "\u202e\u2066\u200b\u200e\x9b\x1b\u2028\ufeff\U000e0041")
def test_a_name_that_no_identifier_can_be_gets_no_code(letter: str, project: Path, told: Told) -> None:
    target = f"shop:Or{letter}der"
    told("add", "--no-import", target, code=2)
    told("move", "--no-import", "300", target, code=2)
    parts = (b"shop", f"Or{letter}der".encode())
    data = b"\x80\x04" + b"".join(b"\x8c" + bytes([len(part)]) + part for part in parts) + b"\x93."
    (project / "a.pickle").write_bytes(data * 100)
    assert "0 codes" in told("suggest", "a.pickle", "--apply", code=0)
    assert (project / "registry.toml").read_text() == ROWS
    with pytest.raises(RegistryError):
        Registry.parse(ROWS + f"301 = {toml(target)}\n")


def test_what_modules_say_when_they_fail(project: Path, told: Told) -> None:
    (project / "shop_failing.py").write_text(f"raise RuntimeError({HOSTILE!a})\n")
    (project / "shop_lazy.py").write_text(f"def __getattr__(name): raise ValueError({HOSTILE!a})\n")
    (project / "shop_named.py").write_text(f"class A: pass\nA.__qualname__ = {HOSTILE!a}\nB = A\n")
    for target in ("shop_failing:A", "shop_lazy:A", "shop_named:A", f"shop_named:{HOSTILE}", HOSTILE):
        told("add", target)
        told("move", "300", target)
    rows = "".join(f'{400 + n} = "shop_{name}:A"\n' for n, name in enumerate(("failing", "lazy", "named")))
    (project / "registry.toml").write_text(ROWS + rows)
    for shown in FORMATS:
        told("lint", "--import", "--format", shown, code=1)


def test_what_source_files_are_called(project: Path, told: Told) -> None:
    (project / f"{HOSTILE}.py").write_text("import copyreg\ncopyreg.add_extension('a', 'B', 300)\n")
    for shown in FORMATS:
        assert "FORGED" in told("lint", "--format", shown, code=1)


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_what_git_says(project: Path, told: Told) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *who, *arguments], check=True, capture_output=True)

    git("init", "-q")
    folder = project / HOSTILE
    folder.mkdir()
    (folder / "registry.toml").write_text("# another\n" * 50)
    (project / "registry.toml").unlink()
    git("add", ".")
    git("commit", "-q", "-m", HOSTILE)
    (folder / "registry.toml").unlink()
    (project / "registry.toml").write_text(ROWS)
    assert "FORGED" in told("lint", "--against", "HEAD", "--no-source", code=2)
    told("diff", HOSTILE, code=2)
    told("lint", "--against", HOSTILE, code=2)
    git("config", "core.worktree", str(folder))
    assert "FORGED" in told("lint", "--against", "HEAD", code=2)


OPTIONS = ("registry", "format", "against", "select", "code", "range", "use", "to", "jobs", "marker-size")


GIVEN_NOTHING = {"demo", "git-setup"} | REPLACES_THE_PROCESS


@pytest.mark.parametrize("command", [command.name for command in COMMANDS if command.name not in GIVEN_NOTHING])
def test_what_the_command_line_was_given(command: str, project: Path, told: Told) -> None:
    for arguments in (
        (HOSTILE,),
        (HOSTILE, HOSTILE),
        (f"--{HOSTILE}",),
        ("--registry", HOSTILE),
        ("--format", HOSTILE),
    ):
        told(command, *arguments)
    told(HOSTILE)


def test_errors_show_the_same_wherever_they_are_caught() -> None:
    for error in (
        ExtregError(HOSTILE, HOSTILE),
        RegistryError((extreg.errors.Problem(HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1),)),
        ConflictError((extreg.errors.Conflict(1, *[HOSTILE] * 6),)),
    ):
        check(str(error))
        assert "\\x1b" in str(error)


def test_printable_escapes_nothing_that_is_seen() -> None:
    for text in ("plain", "b\u00fccher", "\u6f22\u5b57", "a\\x1b", "caf\u00e9 \U0001f600", "\u05d0\u05d1"):
        assert printable(text) == text
    assert printable("a\nb\tc", keep="\n") == "a\nb\\tc"
    assert printable("\udc80\u200d\xa0") == "\\udc80\\u200d\\xa0"


def test_json_is_ascii_and_says_the_same(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "registry.toml").write_text(ROWS + '301 = "b\u00fccher:M"\n', encoding="utf-8")
    assert main(["list", "--format", "json"]) == 0
    said = capsys.readouterr().out
    assert said.isascii()
    assert [row["target"] for row in json.loads(said)["codes"]] == ["shop:Order", "b\u00fccher:M"]


def test_nothing_prints_past_the_one_that_escapes() -> None:
    """All of the command line prints through `extreg.cli.output`; a line of progress is made printable there."""
    found = []
    for file in Path(extreg.cli.__file__).parent.glob("*.py"):
        if file.name not in {"output.py", "progress.py"}:
            calls = (node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
            names = (func.id if isinstance(func, ast.Name) else getattr(func, "attr", "") for func in calls)
            found += [f"{file.name}: {name}" for name in names if name in {"print", "writelines"}]
    assert found == []
