"""alias and move --module as processes; docs/names.md is true: its console blocks are run, in order, in one folder."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from extreg import Registry

PAGE = Path(__file__).parents[2] / "docs" / "names.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
START = """\
format = 1

[codes]
300 = "shop.models:Order"  # busiest
301 = "shop.models.lines:Line"

[load-only]
302 = "shop.models:Basket"

[retired]
303 = "shop.models:Cart"

[reducers]
"shop.models:Order" = "shop.models:reduce"
"""
MOVED = """\
format = 1

[codes]
300 = "store:Order"  # busiest
301 = "store.lines:Line"

[load-only]
302 = "store:Basket"

[moved]
300 = ["shop.models:Order"]
301 = ["shop.models.lines:Line"]
302 = ["shop.models:Basket"]

[retired]
303 = "shop.models:Cart"

[reducers]
"store:Order" = "store:reduce"

[renamed]
"shop.models" = "store"
"""


@pytest.fixture
def shop(registry_file):
    """Return the registry of a project whose module has moved."""
    registry_file.write_text(START)
    store = registry_file.parent / "store"
    store.mkdir()
    (store / "__init__.py").write_text("class Order: pass\nclass Basket: pass\ndef reduce(order): pass\n")
    (store / "lines.py").write_text("class Line: pass\n")
    return registry_file


def test_a_module_moves_in_one_edit(run_extreg, shop) -> None:
    done = run_extreg("move", "--module", "shop.models", "store")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        'moved 300 = "store:Order"',
        'moved 301 = "store.lines:Line"',
        'moved 302 = "store:Basket"',
        'renamed "shop.models" = "store"',
    ]
    assert shop.read_text() == MOVED
    assert run_extreg("lint").stdout == "registry.toml: clean\n"
    again = run_extreg("move", "--module", "shop.models", "store")
    assert (again.returncode, again.stdout) == (0, 'unchanged "shop.models" = "store"\n')
    assert shop.read_text() == MOVED


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--module", "shop.models", "nowhere"], 1, "nowhere:Order: importing nowhere fails"),
        (["--module", "shop.models", "shim"], 1, "shim:Order is really store:Order"),
        (["--module", "shop.models", "part"], 1, "part has no 'Basket'"),
        (["--module", "--no-import", "shop.models", "os"], 1, "os:Order"),
        (["--module", "shop.models:Order", "store"], 2, "expected a module"),
        (["--module", "shop models", "store"], 2, "expected a module"),
        (["--module", "shop.models"], 2, "required: NEW"),
    ],
)
def test_a_module_that_cannot_move_moves_nothing(run_extreg, shop, arguments, code, message) -> None:
    (shop.parent / "shim").mkdir()
    (shop.parent / "shim" / "__init__.py").write_text("from store import Order, Basket\n")
    (shop.parent / "shim" / "lines.py").write_text("from store.lines import Line\n")
    (shop.parent / "part").mkdir()
    (shop.parent / "part" / "__init__.py").write_text("class Order: pass\n")
    (shop.parent / "part" / "lines.py").write_text("class Line: pass\n")
    done = run_extreg("move", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert shop.read_text() == START


def test_a_module_without_codes_is_renamed_all_the_same(run_extreg, shop) -> None:
    done = run_extreg("move", "--module", "numpy.core", "numpy._core")
    assert (done.returncode, done.stdout) == (0, 'renamed "numpy.core" = "numpy._core"\n')
    assert "no code of this file is in or below numpy.core" in done.stderr
    assert Registry.load(shop).current("numpy.core.multiarray:scalar") == "numpy._core.multiarray:scalar"


def test_aliases_are_recorded_shown_and_found(run_extreg, shop) -> None:
    done = run_extreg("alias", "shop.models:Order", "shop._fast:Order", "shop._slow:Order")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == 'aliased 300 = ["shop._fast:Order", "shop._slow:Order"]\n'
    assert run_extreg("alias", "300", "shop._slow:Order").stdout.startswith("unchanged 300 = ")
    assert "aliases:  shop._fast:Order, shop._slow:Order" in run_extreg("show", "shop._fast:Order").stdout
    assert '"aliases": [\n        "shop._fast:Order"' in run_extreg("list", "--format", "json").stdout
    before = shop.read_text()
    for arguments, code, message in (
        (["303", "shop._fast:Cart"], 1, "retired"),
        (["301", "shop._fast:Order"], 1, "is an alias of code 300 (shop.models:Order) already"),
        (["301", "shop.models:Order"], 1, "has code 300 (live) already"),
        (["301", "os:system"], 1, "must not have one"),
        (["301", "shop.Line"], 2, "did you mean 'shop:Line'?"),
        (["5", "shop:Line"], 1, "not in the registry"),
    ):
        refused = run_extreg("alias", *arguments)
        assert (refused.returncode, refused.stdout) == (code, "")
        assert message in refused.stderr
    assert shop.read_text() == before
    added = run_extreg("add", "--no-import", "shop._fast:Order")
    assert added.stdout == '300 = "shop.models:Order"\n'
    assert "shop._fast:Order is another name of shop.models:Order" in added.stderr
    assert shop.read_text() == before


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the transcript is for a POSIX shell")
def test_the_transcripts_in_the_documentation_are_what_really_happens(tmp_path) -> None:
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert blocks
    for block in blocks:
        for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, expected = entry.partition("\n")
            command = line.replace("extreg ", f"{sys.executable} -m extreg ", 1)
            done = subprocess.run(
                command, shell=True, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            assert done.stdout == expected, f"$ {line}\n{done.stdout}"
