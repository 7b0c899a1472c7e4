"""Completion in the shells themselves: what each offers once it has read our script."""

import shutil
import subprocess

import pytest

from extreg.cli.commands import COMMANDS

pytestmark = [pytest.mark.slow, pytest.mark.once]

# What each shell is asked: all that completes the beginning of a command, and the options of one.
ASK = {
    "bash": """
source ./script
ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _shtab_extreg "" "${@: -1}"; echo "${COMPREPLY[@]}"; }
ask extreg pro; ask extreg list --f; ask extreg list --format ''; ask extreg lint --registry ./reg
""",
    "fish": """
source ./script
for line in "extreg pro" "extreg list --f" "extreg list --format " "extreg lint --registry ./reg"
    echo (complete -C $line | string split -f1 \\t)
end
""",
}


@pytest.fixture
def script(tmp_path, run_extreg, request):
    """The script of the shell that is the test's parameter, in a folder with a registry."""
    pytest.importorskip("shtab", reason='pip install ".[test-full]"')
    shell = request.param
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    done = run_extreg("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "script").write_text(done.stdout)
    (tmp_path / "registry.toml").write_text("format = 1\n")
    return shell, done.stdout


def in_shell(shell, text, tmp_path):
    flags = {"bash": ["--norc"], "fish": ["--no-config"], "zsh": ["-f"]}[shell]
    done = subprocess.run(
        [shell, *flags, "-c", text], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize("script", ["bash", "fish"], indirect=True)
def test_the_shell_completes_commands_options_values_and_paths(script, tmp_path):
    shell, _ = script
    command, option, values, path = in_shell(shell, ASK[shell], tmp_path)
    assert command == "promote"
    assert option == "--format"
    assert set(values.split()) >= {"text", "json"}
    assert path.split() == ["./registry.toml"]


@pytest.mark.parametrize("script", ["zsh"], indirect=True)
def test_zsh_takes_it_as_the_completion_of_extreg(script, tmp_path):
    _, text = script
    assert text.startswith("#compdef extreg")
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "_extreg").write_text(text)
    asked = "fpath=($PWD/functions $fpath); autoload -U compinit; compinit -u -D; echo $_comps[extreg]; zsh -n script"
    assert in_shell("zsh", asked, tmp_path) == ["_extreg"]


@pytest.mark.parametrize("script", ["bash", "zsh", "fish"], indirect=True)
def test_every_command_is_in_it(script):
    _, text = script
    assert [entry.name for entry in COMMANDS if entry.name not in text] == []


def test_without_shtab_it_says_what_to_install(tmp_path, run_extreg):
    (tmp_path / "shtab.py").write_text("raise ImportError('none here')\n")
    done = run_extreg("completion", "bash", env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 2
    assert done.stdout == ""
    assert "pip install 'extreg[completion]'" in done.stderr


def test_another_shell_is_refused_with_those_there_are(run_extreg):
    done = run_extreg("completion", "tcsh")
    assert done.returncode == 2
    assert "bash" in done.stderr
