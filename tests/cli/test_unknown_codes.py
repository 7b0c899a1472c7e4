"""Codes that nobody here knows: `extreg.explain` and `extreg show` say what is known of them all the same."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import extreg

ENVIRONMENT = ("-c", "user.name=n", "-c", "user.email=e@x")
CODED = b"\x80\x04\x83\x67\x12."  # EXT2 4711
LOAD = f"""
import pickle, sys, extreg
def failed():
    try:
        pickle.loads({CODED!r})
    except Exception as error:
        return error
"""


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *ENVIRONMENT, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose branch next has code 4711, and whose main has not."""
    monkeypatch.delenv("EXTREG_REGISTRY", raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    registry = folder / "registry.toml"
    registry.write_text('format = 1\n\n[codes]\n300 = "shop:Bill"\n')
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "m")
    git(folder, "checkout", "-q", "-b", "next")
    registry.write_text('format = 1\n\n[codes]\n300 = "shop:Bill"\n4711 = "shop:Order"\n')
    git(folder, "commit", "-q", "-a", "-m", "m")
    git(folder, "checkout", "-q", "main")
    return folder


def python(folder: Path, program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", LOAD + program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def show(folder: Path, code: str) -> tuple[int, str]:
    line = [sys.executable, "-m", "extreg", "show", code]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_show_finds_the_branch_that_has_the_code(repository: Path) -> None:
    code, said = show(repository, "4711")
    assert code == 1
    assert "code 4711 is not in the registry, nor in what it includes; it lies in the range default" in said
    assert 'has 4711 = "shop:Order" in [codes] of registry.toml; the newest of these is in next' in said


def test_show_finds_a_line_that_was_deleted_and_tells_the_last_target(repository: Path) -> None:
    git(repository, "merge", "-q", "next")
    (repository / "registry.toml").write_text('format = 1\n\n[codes]\n300 = "shop:Bill"\n')
    git(repository, "commit", "-q", "-a", "-m", "m")
    _, said = show(repository, "4711")
    assert "takes its line out of registry.toml; commit " in said
    assert 'has 4711 = "shop:Order"' in said


@pytest.mark.parametrize(("code", "whose"), [("5", "standard library"), ("130", "Zope"), ("200", "third parties")])
def test_show_says_whose_a_code_is_by_pep_307(repository: Path, code: str, whose: str) -> None:
    assert show(repository, code)[0] == 1
    assert f"PEP 307 leaves it to {whose}" in show(repository, code)[1].replace("Python's ", "")
    assert "no commit on a branch or tag here has it in a file called registry.toml" in show(repository, code)[1]


@pytest.mark.parametrize("code", ["0", "2147483648", "9" * 50])
def test_what_can_be_no_code_is_not_looked_for(repository: Path, code: str) -> None:
    returned, said = show(repository, code)
    assert returned == 1
    assert "PEP 307" not in said


def test_show_says_that_there_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / "registry.toml").write_text("format = 1\n")
    assert "no git repository around the file" in show(tmp_path, "4711")[1]


def test_show_says_that_git_cannot_read_it(repository: Path) -> None:
    (repository / ".git" / "HEAD").write_text("nonsense\n")
    code, said = show(repository, "4711")
    assert code == 1
    assert "of its past there is nothing to be read: the history of registry.toml: git says" in said


def test_a_process_without_codes_is_told_so_and_where_the_code_is(repository: Path) -> None:
    said = python(repository, "print(extreg.explain(failed()))")
    assert "extension code 4711 is registered by nobody in this process" in said
    assert "no registry is installed in this process" in said
    assert "the newest of these is in next" in said


def test_the_fingerprint_of_what_is_installed_is_told(repository: Path) -> None:
    program = "made = extreg.install('registry.toml')\nprint(made.fingerprint)\nprint(extreg.explain(failed()))"
    fingerprint, *said = python(repository, program).splitlines()
    assert f"(fingerprint {fingerprint}), which loads 1 codes and has retired 0" in "\n".join(said)
    assert any("does not hold it, nor does what it includes" in line for line in said)


def test_a_file_that_has_it_by_now_is_to_be_reloaded_or_installed(repository: Path) -> None:
    git(repository, "checkout", "-q", "next")
    assert "registry.toml:5 has it: shop:Order, live\nextreg.install(" in python(
        repository, "print(extreg.explain(failed()))"
    )
    program = (
        "import pathlib\npath = pathlib.Path('registry.toml'); text = path.read_text()\n"
        "path.write_text('format = 1'); extreg.install('registry.toml'); path.write_text(text)\n"
        "print(extreg.explain(failed()))"
    )
    assert "the file has changed since it was installed: extreg.reload()" in python(repository, program)
    program = "error = failed(); extreg.install('registry.toml'); print(extreg.explain(error))"
    said = python(repository, program)
    assert "extension code 4711 is shop:Order in this process" in said
    assert "it was registered after that load" in said


def test_a_retired_code_is_told_as_its_error_tells_it(repository: Path) -> None:
    (repository / "registry.toml").write_text('format = 1\n\n[retired]\n4711 = "shop:Order"\n')
    for order in ("extreg.install('registry.toml'); error = failed()", "error = failed(); extreg.install()"):
        said = python(repository, f"{order}\nprint(extreg.explain(error))")
        assert "extension code 4711 is retired (" in said
    assert "has it: shop:Order, retired" in python(repository, "print(extreg.explain(failed()))")


def test_a_registry_that_cannot_be_read_is_said_and_not_raised(repository: Path) -> None:
    (repository / "registry.toml").write_text("format = 1\nnonsense = 2\n")
    assert "the registry cannot be read: registry.toml" in python(repository, "print(extreg.explain(failed()))")


def causes() -> list[BaseException]:
    unknown = ValueError("unregistered extension code 4711")
    cause, context, text = RuntimeError("worker"), RuntimeError("later"), RuntimeError("outer")
    cause.__cause__ = unknown
    context.__context__ = cause
    text.__cause__ = Exception('Traceback...\nValueError: unregistered extension code 4711\n"""')  # as pools have it
    circle = RuntimeError("circle")
    circle.__context__ = circle
    circle.__cause__ = text
    return [unknown, cause, context, text, circle]


@pytest.mark.parametrize("error", causes(), ids=str)
def test_the_chain_of_a_traceback_is_searched(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "registry.toml").write_text("format = 1\n")
    monkeypatch.chdir(tmp_path)
    assert "extension code 4711 is registered by nobody" in extreg.explain(error)


def test_an_error_of_another_kind_is_said_to_be_one() -> None:
    assert extreg.explain(KeyError("x")) == "KeyError: nothing in it is about an extension code"
    ours = extreg.RetiredCodeError(7, "a:B", "registry.toml:3", "ask")
    assert extreg.explain(ours) == str(ours)
    with pytest.raises(extreg.ForbiddenGlobalError) as caught:
        extreg.loads(pickle.dumps(print), extreg.Registry.parse("format = 1"))
    assert extreg.explain(caught.value) == str(caught.value)
