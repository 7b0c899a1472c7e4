"""The packs as registries: what is in them never changes, and they can be included."""

import decimal
import json
import pickle
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest

import extreg
from extreg.pickles import scan

from .kept import LIBRARIES, PACKS, archive, archives_of, pack

FROZEN = json.loads((Path(__file__).parent / "frozen.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", LIBRARIES)
def test_no_code_ever_changes(name):
    """Whoever adds a row to a pack adds it to frozen.json; nothing there is ever changed or taken out."""
    registry = pack(name)
    assert {str(code): target for code, target in {**registry.codes, **registry.load_only}.items()} == FROZEN[name]
    assert dict(registry.retired) == {}


@pytest.mark.parametrize("name", LIBRARIES)
def test_codes_lie_in_the_block_of_the_pack(name):
    registry = pack(name)
    block = registry.ranges[name]
    assert 65536 <= block.first < block.last <= 69999
    assert registry.spent == set(range(block.first, block.first + len(registry.spent)))
    assert max(registry.spent) <= block.last


def test_blocks_do_not_meet():
    blocks = [pack(name).ranges[name] for name in LIBRARIES]
    assert all(one.last < other.first or other.last < one.first for one, other in combinations(blocks, 2))


def test_every_folder_is_a_pack_that_is_tested():
    assert {path.parent.name for path in PACKS.glob("*/registry.toml")} == set(LIBRARIES)
    assert {path.parent.name for path in PACKS.glob("*/__init__.py")} == set(LIBRARIES)


@pytest.mark.parametrize("name", LIBRARIES)
def test_each_row_was_written_by_every_version(name):
    """Of each version that a pack names there are pickles that hold the code; if it is load-only, one of its names."""
    registry = pack(name)
    for path in archives_of(name):
        _, pickles = archive(path)
        found = [scan(kept.data) for kept in pickles]
        codes = {code for seen in found for code in seen.codes}
        assert registry.codes.keys() - codes == set(), path.name
        named = {registry.current(target) for seen in found for target in seen.globals}
        assert set(registry.load_only.values()) - named == set(), path.name


@pytest.mark.parametrize("name", LIBRARIES)
def test_each_rename_is_of_a_name_that_was_written(name):
    """A row of a module stands for what is below it."""
    written = set()
    for path in archives_of(name):
        written |= {target for kept in archive(path)[1] for target in scan(kept.data).globals}
    renamed = pack(name).renamed
    assert [
        old for old in renamed if not any(f"{name}.".startswith(f"{old}.") or name == old for name in written)
    ] == []


def test_a_program_includes_them(tmp_path):
    """The child does as a program would: its registry includes the packs, and nothing else is said."""
    included = ", ".join(f'"extreg.packs.{name}"' for name in LIBRARIES)
    (tmp_path / "registry.toml").write_text(f"format = 1\ninclude = [{included}]\n", encoding="utf-8")
    program = (
        "import extreg; extreg.install()\n"
        "import decimal, pickle, sys\n"
        "data = pickle.dumps(decimal.Decimal('1.5'))\n"
        "assert pickle.loads(data) == decimal.Decimal('1.5')\n"
        "assert not {'numpy', 'pandas', 'extreg.packs'} & set(sys.modules)\n"
        "sys.stdout.write(data.hex())\n"
    )
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "program.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert list(scan(bytes.fromhex(done.stdout)).codes) == [65551]


def test_add_sees_that_a_pack_has_the_target(tmp_path):
    path = tmp_path / "registry.toml"
    path.write_text('format = 1\ninclude = ["extreg.packs.stdlib"]\n', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "extreg", "add", "decimal:Decimal"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "65551" in done.stdout + done.stderr
    assert path.read_text(encoding="utf-8") == 'format = 1\ninclude = ["extreg.packs.stdlib"]\n'


@pytest.mark.once
@pytest.mark.parametrize("name", LIBRARIES)
def test_lint_finds_nothing_in_a_pack(name):
    """Except that a library is not installed here, and that paths have other names in 3.13, which have rows."""
    expected = {"missing-target", "missing-rename"}
    findings = extreg.lint(PACKS / name / "registry.toml")
    assert [str(finding) for finding in findings if finding.rule not in expected] == []


def test_plain_pickle_dumps_and_loads_by_the_codes_of_stdlib():
    from .things_stdlib import THINGS, same

    with extreg.install(pack("stdlib")):
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            for make in THINGS.values():
                assert same(pickle.loads(pickle.dumps(make(), protocol)), make())


def test_a_code_of_ones_own_is_refused_and_once_demoted_loaded(tmp_path):
    path = tmp_path / "registry.toml"
    own = 'format = 1\ninclude = ["extreg.packs.stdlib"]\n\n[{table}]\n241 = "decimal:Decimal"\n'
    path.write_text(own.format(table="codes"), encoding="utf-8")
    assert [finding.rule for finding in extreg.lint(path)] == ["duplicate-target"]
    with pytest.raises(extreg.ConflictError, match="65551"):
        extreg.install(path)
    path.write_text(own.format(table="load-only"), encoding="utf-8")
    assert list(extreg.lint(path)) == []
    with extreg.install(path):
        assert list(scan(pickle.dumps(decimal.Decimal(1))).codes) == [65551]
        assert pickle.loads(b"\x80\x02\x82\xf1.") is decimal.Decimal
