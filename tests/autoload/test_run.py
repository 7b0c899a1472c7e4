"""``extreg run``: one command, codes in all of its Pythons, and nothing that stays."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from .conftest import CODES
from .test_enabled import PRIMITIVES

pytestmark = pytest.mark.slow


@pytest.fixture
def own(environment, monkeypatch):
    """An environment whose temporary files are in a folder of their own, with a short name as sockets need it."""
    with tempfile.TemporaryDirectory(prefix="run-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield environment


def is_gone(own):
    """The folder goes when the command has ended, which is a moment later."""
    for _ in range(200):
        if not list(Path(os.environ["TMPDIR"]).glob("extreg-run-*")):
            return True
        time.sleep(0.05)
    return False


def run(own, *line, **options):
    return own.extreg("run", "--", *line, check=False, **options)


def test_every_python_of_the_command_has_the_codes(own):
    done = run(own, "sh", "-c", f'{own.python} -c "{CODES}"; cd /; {own.python} -c "{CODES}"')
    assert (done.returncode, done.stdout, done.stderr) == (0, "[300, 301]\n" * 2, "")
    for flag in ("-I", "-E", "-S"):
        assert run(own, own.python, flag, "-c", CODES).stdout == "[]\n"
    assert own.codes() == []
    assert is_gone(own)


def test_every_primitive_works(own):
    (own.project / "program.py").write_text(PRIMITIVES)
    done = run(own, own.python, "program.py")
    assert (done.stdout, done.stderr) == ("done\n", "")
    assert is_gone(own)


def test_what_it_hides_runs_and_it_is_not_to_be_seen(own, tmp_path):
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nprint('hidden')\nvalue = sys.path\n")
    line = "import sitecustomize, sys; print(sitecustomize.__file__, [f for f in sys.path if 'extreg-run' in f])"
    done = run(own, own.python, "-c", line, env={"PYTHONPATH": str(hidden)})
    assert (done.stdout, done.stderr) == (f"hidden\nhidden\n{hidden / 'sitecustomize.py'} []\n", "")
    (hidden / "sitecustomize.py").write_text("import nowhere_at_all\n")
    alone = own.run("-c", "print('ran')", env={"PYTHONPATH": str(hidden)})
    done = run(own, own.python, "-c", "print('ran')", env={"PYTHONPATH": str(hidden)})
    assert (done.stdout, done.stderr) == (alone.stdout, 2 * alone.stderr), "once for extreg's own Python"


def test_where_there_is_none_there_is_none(own):
    line = "import sys, importlib.util; print('sitecustomize' in sys.modules)"
    (own.site / "sitecustomize.py").write_text("")
    assert run(own, own.python, "-c", line).stdout == "True\n"
    (own.site / "sitecustomize.py").unlink()
    assert run(own, own.python, "-c", line).stdout == own.run("-c", line).stdout


def test_a_python_without_extreg_is_silent(own, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    done = run(own, tmp_path / "bare" / "bin" / "python", "-c", CODES)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_exit_code_is_the_commands(own):
    assert run(own, own.python, "-c", "raise SystemExit(7)").returncode == 7
    assert run(own, own.python, "-c", "import os; os.kill(os.getpid(), 9)").returncode == -9
    done = run(own, "no-such-command-here")
    assert done.returncode == 127
    assert "cannot run no-such-command-here: No such file or directory" in done.stderr
    assert run(own, own.registry).returncode == 126
    assert run(own).returncode == 2
    assert is_gone(own)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"])
def test_a_signal_is_the_commands(own, name):
    """It has our process's number, so that whoever started us signals it; and none of its children is ours."""
    program = """
import os, signal, sys, time
def told(number, frame):
    os.write(1, signal.Signals(number).name.encode())
    sys.exit(5)
for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(each, told)
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("ready", os.getpid(), flush=True)
time.sleep(60)
"""
    line = [own.python, "-m", "extreg", "run", "--", own.python, "-c", program]
    with subprocess.Popen(line, cwd=own.project, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == f"ready {child.pid}\n"
        child.send_signal(getattr(signal, name))
        said = child.stdout.read()
    assert (child.returncode, said) == ((-9, "") if name == "SIGKILL" else (5, name))
    assert is_gone(own)


def test_output_that_nobody_reads_ends_the_command_as_without_us(own):
    line = f"{own.python} -m extreg run -- sh -c 'while :; do echo y; done' | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], cwd=own.project, capture_output=True, text=True, timeout=60)
    assert done.stdout == f"y\n{128 + signal.SIGPIPE}\n"


def test_the_registry_may_be_another(own, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text('format = 1\n[codes]\n500 = "m:C"\n')
    done = own.extreg("run", "--registry", other, "--", own.python, "-c", CODES)
    assert json.loads(done.stdout) == [500]
    done = own.extreg("--registry", other, "run", own.python, "-c", CODES)
    assert json.loads(done.stdout) == [500]
    other.write_text("format = 1\n[codes]\n5 = 5\n")
    done = own.extreg("run", "--registry", other, "--", own.python, "-c", "print('ran')", check=False)
    assert (done.returncode, done.stdout) == (2, "")


def test_it_goes_with_autoload_and_is_switched_off_as_that_is(own):
    own.extreg("autoload", "enable")
    line = "from extreg.ledger import INSTALLED; print([entry._count for entry in INSTALLED])"
    assert run(own, own.python, "-c", line).stdout == "[2]\n"
    done = run(own, own.python, "-c", CODES, env={"EXTREG_AUTOLOAD": "0"})
    assert (done.stdout, done.stderr) == ("[]\n", "note: EXTREG_AUTOLOAD=0 is set: the command goes without codes\n")
    own.registry.write_text("format = 1\n[codes]\n5 = 5\n")


def test_a_start_that_fails_is_one_line_or_stops(own):
    line = f"mv registry.toml gone.toml; {own.python} -c 'print(1)'"
    done = run(own, "sh", "-c", line)
    assert done.stdout == "1\n"
    assert done.stderr.startswith("extreg: autoload: cannot read ")
    (own.project / "gone.toml").rename(own.registry)
    done = run(own, "sh", "-c", line, env={"EXTREG_AUTOLOAD_STRICT": "1"})
    assert (done.returncode, done.stdout) == (78, "")
