"""lint --fix and --diff, and the sorting behind them."""

import random
import subprocess
import sys

import pytest

from extreg.registry.document import Document
from extreg.registry.toml.sort import sort_rows

pytestmark = [pytest.mark.slow, pytest.mark.once]

hypothesis = pytest.importorskip("hypothesis", reason="pip install hypothesis")
given = hypothesis.given
st = pytest.importorskip("hypothesis.strategies", reason="pip install hypothesis")

MODELS = "class Order:\n    pass\n\n\nclass Basket:\n    pass\n"
HEAD = "# head\nformat = 1\n\n[codes]\n"


def test_rows_are_sorted_with_their_comments(extreg, project) -> None:
    text = HEAD + '# of Basket\n310 = "shop.models:Basket"\n300 = "shop.models:Order"  # first\n\n# the end\n'
    (project / "registry.toml").write_text(text)
    assert extreg("lint", "--fix").returncode == 0
    expected = HEAD + '300 = "shop.models:Order"  # first\n# of Basket\n310 = "shop.models:Basket"\n\n# the end\n'
    assert (project / "registry.toml").read_text() == expected


def test_a_re_exported_target_is_moved_to_the_true_one(extreg, project) -> None:
    (project / "registry.toml").write_text(HEAD + '300 = "shop:Order"  # kept\n')
    assert extreg("lint", "--import", "--fix").returncode == 0
    text = (project / "registry.toml").read_text()
    assert text == HEAD + '300 = "shop.models:Order"  # kept\n\n[moved]\n300 = ["shop:Order"]\n'


@pytest.mark.parametrize("how", ["--fix", "--diff"])
def test_what_no_import_confirmed_is_left_where_it_is_and_said(extreg, project, how: str) -> None:
    """The sources cannot know everything that renames an object, and a dead name is never dumped as a code."""
    text = HEAD + '300 = "shop:Order"\n301 = "shop.models:Basket"\n'
    (project / "registry.toml").write_text(text)
    (project / "shop" / "models.py").write_text(MODELS + "print('imported')\nopen('ran', 'w').close()\n")
    done = extreg("lint", how)
    assert done.returncode == 1
    assert "1 target is left as it is by --fix" in done.stderr
    assert "extreg lint --import --fix moves what it confirms" in done.stderr
    assert (project / "registry.toml").read_text() == text
    assert not (project / "ran").exists()
    assert extreg("lint", "--import", "--fix").returncode == 0
    assert '300 = "shop.models:Order"' in (project / "registry.toml").read_text()


def test_a_move_that_the_import_refutes_is_not_made(extreg, project) -> None:
    """Nothing in the sources of the project tells that the class is renamed."""
    (project / "plain.py").write_text("class Order:\n    pass\n")
    (project / "shop" / "__init__.py").write_text("from plain import Order\n")
    site = project.parent / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        f"import sys\nsys.path.insert(0, {str(project)!r})\nimport plain\nplain.Order.__module__ = 'shop'\n"
    )
    text = HEAD + '300 = "shop:Order"\n'
    (project / "registry.toml").write_text(text)
    assert "is really plain:Order" in extreg("lint").stdout
    done = extreg("lint", "--import", "--fix", environment={"PYTHONPATH": str(site)})
    assert (done.returncode, (project / "registry.toml").read_text()) == (0, text)


def test_a_dangerous_target_is_not_moved_to(extreg, project) -> None:
    (project / "shop" / "run.py").write_text("from subprocess import Popen\n")
    text = HEAD + '300 = "shop.run:Popen"\n'
    (project / "registry.toml").write_text(text)
    done = extreg("lint", "--import", "--fix")
    assert "is really subprocess:Popen" in done.stdout
    assert (project / "registry.toml").read_text() == text


def test_a_re_export_of_a_target_that_has_a_code_is_left_to_the_user(extreg, project) -> None:
    text = HEAD + '300 = "shop:Order"\n301 = "shop.models:Order"\n'
    (project / "registry.toml").write_text(text)
    done = extreg("lint", "--import", "--fix")
    assert done.returncode == 1
    assert "extreg demote 300" in done.stdout
    assert (project / "registry.toml").read_text() == text


def test_deleted_lines_come_back_as_what_still_loads(extreg, project) -> None:
    (project / "base.toml").write_text(
        HEAD
        + '300 = "shop.models:Order"\n301 = "shop:Gone"\n[moved]\n301 = ["shop:Was"]\n[retired]\n302 = "shop:Old"\n'
    )
    (project / "registry.toml").write_text(HEAD + '300 = "shop.models:Order"\n')
    done = extreg("lint", "--fix", "--against", "base.toml", "--no-source")
    assert done.returncode == 0
    registry = Document.read((project / "registry.toml").read_text()).require()
    assert dict(registry.load_only) == {301: "shop:Gone"}
    assert dict(registry.retired) == {302: "shop:Old"}
    said = [line.partition("registry.toml:")[2] for line in done.stderr.splitlines() if line.startswith("mended:")]
    assert [line.partition(": ")[2] for line in said] == [
        "code 301: back in [load-only]: shop:Gone",
        "code 302: back in [retired]: shop:Old",
    ]
    lines = (project / "registry.toml").read_text().splitlines()
    assert [lines[int(line.partition(":")[0]) - 1] for line in said] == ['301 = "shop:Gone"', '302 = "shop:Old"']
    assert dict(registry.moved) == {301: ("shop:Was",)}


def test_every_kind_of_fix_says_line_by_line_what_it_did(extreg, project) -> None:
    (project / "registry.toml").write_text(HEAD + '310 = "shop.models:Basket"\n300 = "shop:Order"\n')
    done = extreg("lint", "--import", "--fix")
    said = [line.partition("registry.toml:")[2] for line in done.stderr.splitlines() if line.startswith("mended:")]
    assert said == ["5: code 300: moved from shop:Order to shop.models:Order", "4: [codes]: rows sorted by code"]


def test_a_revert_of_a_published_code_is_mended_so_that_it_loads(extreg, project) -> None:
    """Stored pickles hold the code since it was published."""
    published = HEAD + '300 = "shop.models:Order"\n310 = "shop.models:Basket"\n'
    (project / "base.toml").write_text(published)
    (project / "registry.toml").write_text(HEAD + '300 = "shop.models:Order"\n')
    assert extreg("lint", "--fix", "--against", "base.toml").returncode == 0
    registry = Document.read((project / "registry.toml").read_text()).require()
    assert registry.state(310) == "load-only"


def test_diff_shows_and_changes_nothing(extreg, project) -> None:
    text = HEAD + '301 = "shop.models:Basket"\n300 = "shop.models:Order"\n'
    (project / "registry.toml").write_text(text)
    done = extreg("lint", "--diff")
    assert done.returncode == 1
    assert '\n-300 = "shop.models:Order"' in done.stdout
    assert '\n+300 = "shop.models:Order"' in done.stdout
    assert (project / "registry.toml").read_text() == text


def test_what_is_ignored_is_not_mended(extreg, project) -> None:
    text = HEAD + '300 = "shop:Order"  # extreg: ignore[reexported-target] on purpose\n301 = "shop:Order.x"\n'
    (project / "registry.toml").write_text(text)
    extreg("lint", "--import", "--fix", "--select", "reexported-target")
    assert '300 = "shop:Order"' in (project / "registry.toml").read_text()


def test_a_clean_or_broken_file_is_not_touched(extreg, project) -> None:
    for text in (HEAD + '300 = "shop.models:Order"\n', HEAD + "301 = 5\n300 = 'shop:Order'\n"):
        (project / "registry.toml").write_text(text)
        before = (project / "registry.toml").stat().st_ino
        extreg("lint", "--fix")
        assert (project / "registry.toml").read_text() == text
        assert (project / "registry.toml").stat().st_ino == before


@given(st.sets(st.integers(1, 99), max_size=12), st.integers(), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_sorting_keeps_every_line_and_the_meaning(codes, seed, end, finished) -> None:
    chance = random.Random(seed)
    lines = ["format = 1", "[codes]"]
    order = list(codes)
    chance.shuffle(order)
    for code in order:
        if chance.random() < 0.3:
            lines.append(f"# about {code}")
        lines.append(f'{code} = "shop:C{code}"' + (" # here" if chance.random() < 0.3 else ""))
        if chance.random() < 0.2:
            lines.append("")
    text = end.join(lines) + (end if finished else "")
    before = Document.read(text)
    after = sort_rows(before)
    assert Document.read(after).registry == before.registry
    assert list(Document.read(after).tables.codes) == sorted(codes)
    assert sorted(after.split(end)) == sorted(text.split(end))
    assert sort_rows(Document.read(after)) == after


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("unfinished", [False, True])
@pytest.mark.parametrize("folder", [".", "deep"])
def test_a_diff_is_a_patch_that_git_applies(extreg, project, git, end: str, unfinished: bool, folder: str) -> None:
    (project / folder).mkdir(exist_ok=True)
    registry = project / folder / "registry.toml"
    rows = ["format = 1", "", "[codes]", '301 = "shop.models:Basket"  # gr\u00fcn', '300 = "shop.models:Order"']
    registry.write_bytes((end.join(rows) + ("" if unfinished else end)).encode())
    command = [sys.executable, "-m", "extreg", "lint", "--diff"]
    patch = subprocess.run(command, cwd=project / folder, capture_output=True)
    assert patch.returncode == 1
    (project / "fix.patch").write_bytes(patch.stdout)
    git("apply", "--whitespace=nowarn", "fix.patch")
    applied = registry.read_bytes()
    registry.write_bytes((end.join(rows) + ("" if unfinished else end)).encode())
    extreg("lint", "--fix", cwd=project / folder)
    assert applied == registry.read_bytes()
