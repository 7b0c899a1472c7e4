"""`extreg lint --against` on a git repository, as users run it: what is told, where, and what stays silent."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REGISTRY = 'format = 1\n\n[codes]\n4711 = "shop.models:Order"\n'
OLD = "class Order:\n    def __init__(self):\n        self.id = 1\n\n\nclass _Line:\n    pass\n"
NEW = OLD.replace("self.id = 1", "self.id = 1\n        self.discount = 0")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, and a tag on it; the working directory is in it."""
    for key in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{key}_NAME", "A Tester")
        monkeypatch.setenv(f"GIT_{key}_EMAIL", "tester@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("CI", "1")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("print('imported')\n")
    (tmp_path / "shop" / "models.py").write_text(OLD)
    (tmp_path / "registry.toml").write_text(REGISTRY)
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "-m", "first")
    git("tag", "v1")
    return tmp_path


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


def lint(run_extreg: Run, *arguments: str) -> "tuple[int, list[dict[str, object]]]":
    done = run_extreg("lint", "--against", "v1", *arguments, "--format", "json")
    return done.returncode, json.loads(done.stdout)["findings"]


def test_a_new_field_is_told_at_the_class(project: Path, run_extreg: Run) -> None:
    (project / "shop" / "models.py").write_text("import os\n" + NEW)
    done = run_extreg("lint", "--against", "v1")
    assert done.returncode == 1
    assert done.stdout.startswith(
        "shop/models.py:2: field-gained: code 4711 (shop.models:Order): no 'discount' in v1, 'discount' in every new "
        "instance now: an old pickle loads without it, and reading it raises AttributeError: 'Order' object has no "
        "attribute 'discount'\n    hint: "
    )
    assert "imported" not in done.stdout + done.stderr


def test_nothing_that_changed_is_no_finding(project: Path, run_extreg: Run) -> None:
    assert lint(run_extreg) == (0, [])
    (project / "shop" / "models.py").write_text("# a comment\n" + OLD)
    assert lint(run_extreg) == (0, [])


def test_old_readers_are_asked_with_rolling(project: Path, run_extreg: Run) -> None:
    (project / "shop" / "models.py").write_text(OLD.replace("self.id = 1", "self.number = 1"))
    assert [len(lint(run_extreg, *more)[1]) for more in ((), ("--rolling",))] == [1, 2]
    told = [str(found["message"]) for found in lint(run_extreg, "--rolling")[1]]
    assert [("an old pickle" in text, "a new pickle loads in v1" in text) for text in sorted(told)] == [
        (True, False),
        (False, True),
    ] or [("a new pickle loads in v1" in text) for text in told].count(True) == 1


def test_a_comment_at_the_class_ignores_it(project: Path, run_extreg: Run) -> None:
    mark = "class Order:  # extreg: ignore[field-gained] carts are thrown away\n"
    (project / "shop" / "models.py").write_text(NEW.replace("class Order:\n", mark))
    assert lint(run_extreg) == (0, [])


def test_a_class_that_moved_is_compared_with_what_it_was(project: Path, run_extreg: Run) -> None:
    (project / "shop" / "orders.py").write_text(NEW)
    (project / "shop" / "models.py").write_text("")
    moved = '4711 = "shop.orders:Order"\n\n[moved]\n4711 = ["shop.models:Order"]\n'
    (project / "registry.toml").write_text(f"format = 1\n\n[codes]\n{moved}")
    code, found = lint(run_extreg)
    assert (code, [one["rule"] for one in found]) == (1, ["field-gained"])
    assert found[0]["path"] == os.path.join("shop", "orders.py")


def test_a_note_fails_nothing(project: Path, run_extreg: Run) -> None:
    (project / "shop" / "models.py").write_text(NEW.replace("discount", "_seen"))
    code, found = lint(run_extreg)
    assert (code, [one["level"] for one in found]) == (0, ["note"])
    assert "::notice file=shop/models.py" in run_extreg("lint", "--against", "v1", "--format", "github").stdout
    assert run_extreg("lint", "--against", "v1").stdout.endswith("registry.toml: 1 note\n")


def test_a_private_name_in_the_jar_is_compared_too(project: Path, run_extreg: Run) -> None:
    (project / "shop" / "__init__.py").write_text("")
    script = "import pickle, shop.models; open('line.pkl', 'wb').write(pickle.dumps(shop.models._Line()))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True)
    assert run.returncode == 0
    git("add", "line.pkl")
    # It had a code for a while, so that the jar took it.
    (project / "registry.toml").write_text(REGISTRY + '4712 = "shop.models:_Line"\n')
    assert run_extreg("jar", "add", "line.pkl").returncode == 0
    (project / "registry.toml").write_text(REGISTRY)
    changed = OLD.replace("class _Line:\n    pass", "class _Line:\n    def __init__(self):\n        self.price = 1")
    (project / "shop" / "models.py").write_text(changed)
    code, found = lint(run_extreg)
    assert code == 1
    assert [str(one["message"]).partition(": ")[0] for one in found] == ["shop.models:_Line"]


def test_what_cannot_be_told_is_said(project: Path, run_extreg: Run) -> None:
    (project / "shop" / "models.py").write_text("from nowhere import mark\n\n\n@mark\n" + NEW)
    done = run_extreg("lint", "--against", "v1")
    assert done.returncode == 0
    assert "what pickles hold cannot be told from source for shop.models:Order" in done.stderr


def test_an_older_copy_of_the_project_can_be_compared_with(project: Path, run_extreg: Run, tmp_path: Path) -> None:
    older = tmp_path / "older"
    (older / "shop").mkdir(parents=True)
    (older / "shop" / "models.py").write_text(OLD)
    (older / "registry.toml").write_text(REGISTRY)
    (project / "shop" / "models.py").write_text(NEW)
    done = run_extreg("lint", "--against", "older/registry.toml", "--format", "json")
    assert [found["rule"] for found in json.loads(done.stdout)["findings"]] == ["field-gained"]


def test_sources_that_are_not_to_be_read_are_not(project: Path, run_extreg: Run) -> None:
    (project / "shop" / "models.py").write_text(NEW)
    assert lint(run_extreg, "--no-source") == (0, [])
