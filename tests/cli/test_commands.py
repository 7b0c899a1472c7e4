"""Each command through a process of its own: what it prints, what it writes, how it ends."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from extreg.cli.commands import COMMANDS, load
from extreg.cli.main import main
from extreg.registry.model import Registry

pytestmark = pytest.mark.slow

Run = Callable[..., "CompletedProcess[str]"]

TEXT = """\
format = 1
include = ["paylib"]

[codes]
240 = "shop.money:Money"
4711 = "shop.models:Order"

[load-only]
18220 = "shop.models:Basket"
18221 = "shop.models:Order"

[moved]
4711 = ["shop.orders:Order"]

[retired]
9120 = "shop.legacy:Cart"

[reducers]
"shop.money:Money" = "shop.money:reduce_money"
"""

PAYLIB = """\
format = 1

[codes]
7777 = "paylib:Pay"

[load-only]
7778 = "paylib:Old"

[retired]
7779 = "paylib:Gone"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "registry.toml"
    path.write_text(TEXT)
    (tmp_path / "paylib").mkdir()
    (tmp_path / "paylib/__init__.py").write_text("raise SystemExit('imported')")
    (tmp_path / "paylib/registry.toml").write_text(PAYLIB)
    return path


def check(done: "CompletedProcess[str]", code: int, out: str = "", err: str = "") -> None:
    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stdout, done.stderr) == (code, out, err)


def test_init_writes_a_file_that_everything_reads(run_extreg: Run, tmp_path: Path) -> None:
    done = run_extreg("init")
    assert (done.returncode, done.stdout) == (0, "wrote registry.toml\n")
    assert Registry.load(tmp_path / "registry.toml") == Registry()
    check(run_extreg("list"), 0)
    assert run_extreg("lint").returncode == 0
    done = run_extreg("init")
    assert done.returncode == 1
    assert "exists already" in done.stderr


def test_init_writes_where_add_looks(run_extreg: Run, tmp_path: Path) -> None:
    """At --registry, $EXTREG_REGISTRY or [tool.extreg] registry; never above, where another project's may be."""
    (tmp_path / "src").mkdir()
    (tmp_path / "deep").mkdir()
    assert run_extreg("init", "--registry", "src").returncode == 0
    assert (tmp_path / "src" / "registry.toml").is_file()
    env = {"EXTREG_REGISTRY": str(tmp_path / "named.toml")}
    assert run_extreg("add", "--no-import", "m:C", env=env).returncode == 2
    assert run_extreg("init", env=env).returncode == 0
    assert run_extreg("add", "--no-import", "m:C", env=env).returncode == 0
    (tmp_path / "pyproject.toml").write_text('[tool.extreg]\nregistry = "src/other.toml"\n')
    assert run_extreg("init", cwd=tmp_path / "deep").returncode == 0
    assert run_extreg("add", "--no-import", "m:D", cwd=tmp_path / "deep").returncode == 0
    assert list(Registry.load(tmp_path / "src" / "other.toml").codes.values()) == ["m:D"]
    (tmp_path / "pyproject.toml").unlink()
    assert run_extreg("init").returncode == 0
    assert run_extreg("init", cwd=tmp_path / "deep").returncode == 0
    assert (tmp_path / "deep" / "registry.toml").is_file()


def test_add_prints_the_rows_it_wrote(run_extreg: Run, shop: Path) -> None:
    done = run_extreg("add", "--no-import", "m:C", "m:D")
    check(done, 0, '36736 = "m:C"\n33680 = "m:D"\n')
    for line in done.stdout.splitlines():
        assert line in shop.read_text().splitlines()


def test_add_twice_is_add_once(run_extreg: Run, shop: Path) -> None:
    before = shop.read_bytes()
    check(
        run_extreg("add", "--no-import", "shop.money:Money"),
        0,
        '240 = "shop.money:Money"\n',
        "note: shop.money:Money is there already\n",
    )
    assert run_extreg("add", "--no-import", "--load-only", "shop.models:Basket").returncode == 0
    assert shop.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["add", "--no-import", "--load-only", "shop.money:Money"], 1, "already live as code 240"),
        (["add", "--no-import", "shop.models:Basket"], 1, "already load-only as code 18220"),
        (["add", "--no-import", "--code", "241", "shop.money:Money"], 1, "already has code 240"),
        (["add", "--no-import", "--code", "240", "m:C"], 1, "code 240 is spent: it is live"),
        (["add", "--no-import", "--code", "9120", "m:C"], 1, "code 9120 is spent: it is retired"),
        (["add", "--no-import", "--code", "100", "m:C"], 1, "lies in no range"),
        (["add", "--no-import", "--code", "0", "m:C"], 1, "is not from 1 to"),
        (["add", "--no-import", "--code", "241", "m:C", "m:D"], 2, "one code, but there are 2 targets"),
        (["add", "--no-import", "--code", "241", "--range", "hot", "m:C"], 2, "not allowed with"),
        (["add", "--no-import", "--code", "x", "m:C"], 2, "invalid int value"),
        (["add", "--no-import", "--range", "hto", "m:C"], 1, "there is no range 'hto'"),
        (["add", "--no-import", "shop.models.Order"], 2, "did you mean 'shop.models:Order'?"),
        (["add", "--no-import", "m:f.<locals>.C"], 1, "local to a function"),
        (["add", "--no-import", "m:C", "not a target"], 2, "no white space"),
        (["add"], 2, "required: TARGET"),
        (["add", "--no-import", "--code", "7779", "m:C"], 1, "code 7779 is spent: it is retired"),
        (["add", "--no-import", "--code", "7777", "m:C"], 1, "code 7777 is spent: it is live and means paylib:Pay"),
        (["add", "--no-import", "--code", "300", "paylib:Pay"], 1, "paylib:Pay has code 7777 (live) already"),
        (["add", "--no-import", "paylib:Old"], 1, "paylib:Old has code 7778 (load-only) already"),
        (["add", "--no-import", "--force", "src.shop:C", "shop.money:Money", "--load-only"], 1, "already live as"),
        (["add", "--no-import", "__main__:C"], 1, "is in a main module"),
        (["add", "--no-import", "pathlib:Path"], 1, "calling it makes an object of another class"),
        (["promote", "7778"], 1, "cannot promote code 7778: it is not in this file"),
        (["demote", "paylib:Pay"], 1, "an included registry has it, and it is changed there: extreg show 7777"),
        (["move", "--no-import", "7777", "m:C"], 1, "it is not in this file"),
        (["move", "--no-import", "240", "paylib:Pay"], 1, "paylib:Pay already has the live code 7777"),
        (["promote", "240"], 1, "cannot promote code 240: it is live"),
        (["promote", "18221"], 1, "already dumped as code 4711"),
        (["promote", "9120"], 1, "spent for ever"),
        (["promote", "5"], 1, "code 5 is not in the registry"),
        (["promote", "9" * 5000], 1, "is not in the registry"),
        (["promote", "m:C"], 1, "m:C has no code"),
        (["promote", "18220", "5"], 1, "code 5 is not in the registry"),
        (["demote", "18220"], 1, "cannot demote code 18220: it is load-only"),
        (["demote", "9120"], 1, "spent for ever"),
        (["retire", "240"], 1, "is live: programs still dump it"),
        (["retire", "9120"], 1, "spent for ever"),
        (["retire", "--now", "9120"], 1, "spent for ever"),
        (["move", "--no-import", "9120", "m:C"], 1, "spent for ever"),
        (["move", "--no-import", "5", "m:C"], 1, "not in the registry"),
        (["move", "--no-import", "240", "shop.models:Order"], 1, "already has the live code 4711"),
        (["move", "--no-import", "240", "m.C"], 2, "did you mean 'm:C'?"),
        (["move", "240"], 2, "required: NEW"),
        (["show", "5"], 1, "not in the registry"),
        (["show", "shop.nothing:Here"], 1, "has no code"),
        (["list", "--format", "yaml"], 2, "invalid choice"),
        (["lint", "--registry", "missing.toml"], 2, "cannot read missing.toml"),
        (["list", "--registry", "missing/registry.toml"], 2, "cannot read missing/registry.toml"),
        (["add", "--no-import", "--registry", "missing/registry.toml", "m:C"], 2, "there is no folder"),
        (["init", "--registry", "missing/registry.toml"], 2, "there is no folder"),
        (["init"], 1, "exists already"),
        (["lost"], 2, "there is no command 'lost'"),
        (["lst"], 2, "did you mean: extreg list"),
        (["--lost", "list"], 2, "unrecognized arguments: --lost"),
        (["list", "--regis", "x"], 2, "unrecognized arguments"),
    ],
    ids=lambda part: " ".join(part)[:60] if isinstance(part, list) else "",
)
def test_refusals(
    arguments: list[str],
    code: int,
    message: str,
    shop: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One message on stderr, an exit code that says whose fault it is, and nothing written: all or nothing."""
    monkeypatch.chdir(shop.parent)
    assert main(arguments) == code
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""
    assert shop.read_text() == TEXT
    assert {path.name for path in shop.parent.iterdir()} == {shop.name, "paylib"}


@pytest.mark.parametrize(
    ("arguments", "code"), [(["retire", "240"], 1), (["list", "--registry", "missing.toml"], 2), (["lost"], 2)]
)
def test_refusals_of_a_process(arguments: list[str], code: int, run_extreg: Run, shop: Path) -> None:
    done = run_extreg(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert "Traceback" not in done.stderr


def test_the_life_of_a_code(run_extreg: Run, shop: Path) -> None:
    check(run_extreg("add", "--no-import", "--load-only", "--code", "300", "m:C"), 0, '300 = "m:C"\n')
    check(run_extreg("promote", "m:C"), 0, 'live 300 = "m:C"\n')
    check(
        run_extreg("demote", "300", "shop.money:Money"),
        0,
        'load-only 300 = "m:C"\nload-only 240 = "shop.money:Money"\n',
    )
    done = run_extreg("move", "--no-import", "m:C", "n:C")
    assert (done.returncode, done.stdout) == (0, 'moved 300 = "n:C"\n')
    assert "those that hold the name m:C do not" in done.stderr
    check(run_extreg("move", "--no-import", "m:C", "n:C"), 0, 'unchanged 300 = "n:C"\n')
    check(run_extreg("retire", "m:C"), 0, 'retired 300 = "n:C"\n')
    check(run_extreg("retire", "--now", "4711"), 0, 'retired 4711 = "shop.models:Order"\n')
    registry = Registry.load(shop)
    assert registry.codes == {}
    assert registry.load_only == {240: "shop.money:Money", 18220: "shop.models:Basket", 18221: "shop.models:Order"}
    assert registry.retired == {300: "n:C", 4711: "shop.models:Order", 9120: "shop.legacy:Cart"}
    assert registry.moved == {300: ("m:C",), 4711: ("shop.orders:Order",)}


def test_list_shows_every_code_in_order(run_extreg: Run, shop: Path) -> None:
    check(
        run_extreg("list"),
        0,
        "  240  live       shop.money:Money\n"
        " 4711  live       shop.models:Order\n"
        " 7777  live       paylib:Pay  (paylib/registry.toml)\n"
        " 7778  load-only  paylib:Old  (paylib/registry.toml)\n"
        " 7779  retired    paylib:Gone  (paylib/registry.toml)\n"
        " 9120  retired    shop.legacy:Cart\n"
        "18220  load-only  shop.models:Basket\n"
        "18221  load-only  shop.models:Order\n",
    )


def test_list_as_json_has_the_documented_shape(run_extreg: Run, shop: Path) -> None:
    done = run_extreg("list", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    keys = ["former-names", "include", "ranges", "codes", "renamed", "reducers"]
    assert list(data) == ["version", "path", "fingerprint", *keys]
    assert data["version"] == 1
    assert data["path"] == "registry.toml"
    assert data["fingerprint"] == Registry.load(shop).fingerprint
    assert data["include"] == ["paylib"]
    hot = {"first": 240, "last": 255, "allocate": "next", "modules": [], "used": 1, "capacity": 16}
    assert data["ranges"]["hot"] == hot
    assert [row["code"] for row in data["codes"]] == [240, 4711, 7777, 7778, 7779, 9120, 18220, 18221]
    order = {"code": 4711, "state": "live", "target": "shop.models:Order", "former": ["shop.orders:Order"]}
    assert data["codes"][1] == {**order, "aliases": [], "path": "registry.toml", "line": 6, "included": False}
    included = {"path": str(shop.parent / "paylib" / "registry.toml"), "line": 4, "included": True}
    assert data["codes"][2] == {
        "code": 7777,
        "state": "live",
        "target": "paylib:Pay",
        "former": [],
        "aliases": [],
        **included,
    }
    assert data["reducers"] == {"shop.money:Money": "shop.money:reduce_money"}


def test_show_tells_the_whole_story(run_extreg: Run, shop: Path) -> None:
    done = run_extreg("show", "shop.orders:Order")
    assert (done.returncode, done.stderr) == (0, "")
    facts = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    facts = {name.strip(): fact.strip() for name, fact in facts.items()}
    assert facts == {
        "code": "4711",
        "target": "shop.models:Order",
        "state": "live: dumped as this code, and loaded from it",
        "former": "shop.orders:Order",
        "opcode": "EXT2, 3 bytes",
        "by name": "24 bytes in a protocol 4 pickle, at its first occurrence",
        "range": "default (256 to 65535)",
        "place": "registry.toml:6",
        "reducer": "none",
        "also": "load-only as 18221",
    }
    assert "EXT1, 2 bytes" in run_extreg("show", "240").stdout
    assert "shop.money:reduce_money" in run_extreg("show", "240").stdout
    assert "retired: neither dumped nor loaded" in run_extreg("show", "shop.legacy:Cart").stdout
    assert "paylib/registry.toml:4, which is included" in run_extreg("show", "paylib:Pay").stdout


def test_what_an_include_has_is_taken(run_extreg: Run, shop: Path) -> None:
    before = shop.read_text()
    where = shop.parent / "paylib" / "registry.toml"
    check(
        run_extreg("add", "--no-import", "paylib:Pay"),
        0,
        '7777 = "paylib:Pay"\n',
        f"note: paylib:Pay is there already, in {where}\n",
    )
    assert shop.read_text() == before
    where.write_text('format = 1\n[codes]\n241 = "paylib:Pay"\n')
    check(run_extreg("add", "--no-import", "--range", "hot", "m:C"), 0, '242 = "m:C"\n')


def test_without_an_included_registry_no_code_is_given(run_extreg: Run, shop: Path) -> None:
    (shop.parent / "paylib" / "registry.toml").unlink()
    before = shop.read_text()
    for command in (["add", "--no-import", "m:C"], ["promote", "18220"], ["list"], ["show", "240"], ["lint"]):
        done = run_extreg(*command)
        assert (done.returncode, done.stdout) == (2, "")
        assert "paylib" in done.stderr
    assert shop.read_text() == before


def test_add_says_what_lint_would_say_before_it_spends_the_number(run_extreg: Run, shop: Path) -> None:
    done = run_extreg("add", "--no-import", "shop.models:Order.Line")
    assert done.returncode == 0
    assert "note: nested-name: shop.models:Order.Line names something inside a class" in done.stderr
    (shop.parent / "pyproject.toml").write_text('[tool.extreg.lint]\nignore = ["nested-name"]\n')
    assert run_extreg("add", "--no-import", "shop.models:Order.Part").stderr == ""
    before = shop.read_text()
    done = run_extreg("add", "--no-import", "m:C", "pathlib:Path")
    assert done.returncode == 1
    assert "pathlib:Path: calling it makes an object of another class" in done.stderr
    assert "extreg rule dead-target tells more; if you know better: the same with --force" in done.stderr
    assert shop.read_text() == before
    assert run_extreg("add", "--no-import", "--force", "pathlib:Path").returncode == 0


def test_a_package_reached_through_its_source_folder_is_refused(run_extreg: Run, tmp_path: Path) -> None:
    (tmp_path / "src" / "shop").mkdir(parents=True)
    (tmp_path / "src" / "shop" / "models.py").write_text("class Order: pass\n")
    assert run_extreg("init").returncode == 0
    done = run_extreg("add", "src.shop.models:Order")
    assert done.returncode == 1
    assert "src.shop.models:Order is shop.models:Order where programs import it" in done.stderr
    assert "extreg add shop.models:Order" in done.stderr
    assert run_extreg("add", "shop.models:Order").returncode == 0


def test_many_displaced_targets_are_one_note(run_extreg: Run, tmp_path: Path) -> None:
    assert run_extreg("init").returncode == 0
    done = run_extreg("add", "--no-import", *(f"m:C{number}" for number in range(3000)))
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 3000
    (line,) = done.stderr.splitlines()
    assert line.endswith("targets hash to codes that others have, and get the next free ones")


def test_the_size_by_name_is_what_pickle_writes(run_extreg: Run, registry_file: Path) -> None:
    import pickle
    from collections import OrderedDict

    assert run_extreg("add", "collections:OrderedDict").returncode == 0
    around = len(pickle.dumps(None, 4)) - len(b"N") + len(b"\x95" + bytes(8))  # header, frame and stop
    size = len(pickle.dumps(OrderedDict, 4)) - around
    assert f"{size} bytes in a protocol 4 pickle" in run_extreg("show", "collections:OrderedDict").stdout


def test_lint_says_clean_and_finds(run_extreg: Run, registry_file: Path) -> None:
    check(run_extreg("lint"), 0, "registry.toml: clean\n")
    registry_file.write_text('format = 1\n[codes]\n300 = "m:C"\n299 = "m:D"\n')
    check(
        run_extreg("lint", "--no-source"),
        1,
        "registry.toml:4: unsorted: code 299 stands below code 300 in [codes]\n"
        "    hint: extreg lint --fix moves the line\nregistry.toml: 1 finding\n",
    )
    done = run_extreg("lint", "--no-source", "--format", "json")
    assert done.returncode == 1
    message = "code 299 stands below code 300 in [codes]"
    finding = {
        "rule": "unsorted",
        "path": "registry.toml",
        "line": 4,
        "message": message,
        "hint": "extreg lint --fix moves the line",
        "level": "error",
    }
    assert json.loads(done.stdout) == {"version": 1, "findings": [finding]}


def test_lint_reads_what_is_included(run_extreg: Run, registry_file: Path) -> None:
    """Packages beside the registry file and in src there are found without being imported."""
    package = registry_file.parent / "src" / "paylib"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "registry.toml").write_text('format = 1\n[codes]\n300 = "paylib:Pay"\n')
    registry_file.write_text('format = 1\ninclude = ["paylib"]\n[codes]\n300 = "m:C"\n')
    done = run_extreg("lint")
    assert done.returncode == 1
    assert "duplicate-code: code 300 is assigned in two files" in done.stdout


@pytest.mark.parametrize("command", [None, *(command.name for command in COMMANDS)])
def test_help(command: str | None, run_extreg: Run) -> None:
    """Every command has help with an example, which is where people look first."""
    done = run_extreg(*([command] if command else []), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"usage: extreg {command or ''}".strip() in done.stdout
    assert "extreg" in done.stdout.partition("\nexamples:\n")[2]
    if command is None:
        assert {name.name for name in COMMANDS} <= set(done.stdout.split())


def test_the_command_alone_prints_help(run_extreg: Run) -> None:
    check(run_extreg(), 0, run_extreg("--help").stdout)


def test_the_registry_may_be_named_before_the_command(run_extreg: Run, shop: Path) -> None:
    (deep := shop.parent / "deep").mkdir()
    for before in (["--registry", str(shop)], [f"--registry={shop}"]):
        done = run_extreg(*before, "list", cwd=deep)
        assert (done.returncode, done.stdout) == (0, run_extreg("list", "--registry", str(shop), cwd=deep).stdout)
    assert run_extreg("--registry", "missing.toml", "list", "--registry", str(shop)).returncode == 0
    assert run_extreg("--registry", "missing.toml", "list").returncode == 2


def test_only_the_command_that_runs_is_imported(run_extreg: Run, shop: Path) -> None:
    line = "import sys\nfrom extreg.cli.main import main\nmain({})\nprint(*sys.modules)"
    loaded = {}
    for arguments in (["--version"], ["list"], ["lint"]):
        done = subprocess.run(
            [sys.executable, "-c", line.format(arguments)], cwd=shop.parent, capture_output=True, text=True
        )
        loaded[arguments[0]] = set(done.stdout.splitlines()[-1].split())
    assert not {"argparse", "pathlib", "tomli", "tomllib", "pickle", "extreg.errors"} & loaded["--version"]
    assert not {"extreg.cli.lint", "extreg.cli.add", "extreg.pickles"} & loaded["list"]
    assert "extreg.cli.scan" not in loaded["lint"]


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_the_table_of_commands_is_right(entry) -> None:
    assert load(entry).name == entry.name


def test_version(run_extreg: Run) -> None:
    from extreg import __version__

    check(run_extreg("--version"), 0, f"extreg {__version__}\n")
