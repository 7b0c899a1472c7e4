"""The command line in the world: which file it means, whose modules it imports, how it ends when it is interrupted."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from extreg.cli.main import main
from extreg.cli.output import coloured
from extreg.registry.model import Registry

pytestmark = pytest.mark.slow

Run = Callable[..., "CompletedProcess[str]"]

EMPTY = "format = 1\n\n[codes]\n"
MODELS = """\
class Order:
    class Line:
        pass

def local():
    class Inner: pass
    return Inner

Inner = local()
ORDER = Order()
class Renamed: pass
Renamed.__qualname__ = "Lost"
class Twin: pass
Other = Twin
class Twin: pass
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a registry and a package of its own name, as the working directory."""
    (tmp_path / "registry.toml").write_text(EMPTY)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0].startswith("shop_")]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


@pytest.fixture
def package(project: Path, request: pytest.FixtureRequest) -> str:
    """A package that no other test has imported."""
    name = f"shop_{abs(hash(request.node.nodeid))}"
    (project / name).mkdir()
    (project / name / "models.py").write_text(MODELS)
    (project / name / "__init__.py").write_text(f"from {name}.models import Order\n")
    return name


def codes() -> set[str]:
    return set(Registry.load("registry.toml").codes.values())


def test_the_registry_is_found_in_this_order(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--registry, $EXTREG_REGISTRY, [tool.extreg] registry in the nearest pyproject.toml, registry.toml upward."""
    deep = project / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)

    def add(target: str, *arguments: str) -> None:
        assert main(["add", "--no-import", *arguments, target]) == 0

    add("m:Upward")
    (project / "configured.toml").write_text(EMPTY)
    (project / "a" / "pyproject.toml").write_text('[tool.extreg]\nregistry = "../configured.toml"\n')
    add("m:Configured")
    (project / "named.toml").write_text(EMPTY)
    monkeypatch.setenv("EXTREG_REGISTRY", str(project / "named.toml"))
    add("m:Named")
    (project / "given").mkdir()
    (project / "given" / "registry.toml").write_text(EMPTY)
    add("m:Given", "--registry", "../../given")
    for name, target in {
        "registry.toml": "m:Upward",
        "configured.toml": "m:Configured",
        "named.toml": "m:Named",
        "given/registry.toml": "m:Given",
    }.items():
        assert set(Registry.load(project / name).codes.values()) == {target}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.extreg]\nregistry = 5\n", "tool.extreg.registry: expected a string, found 5"),
        ("[tool]\nextreg = 5\n", "tool.extreg: expected a table"),
        ("tool = 5\n", "tool: expected a table"),
        ("[tool.extreg\n", "cannot read"),
        pytest.param(
            f"x = {'9' * 5000}\n",
            "cannot read",
            marks=pytest.mark.skipif(sys.implementation.name != "cpython", reason="PyPy reads numbers of any length"),
        ),
    ],
)
def test_a_bad_pyproject_is_named(text: str, message: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pyproject.toml").write_text(text)
    assert main(["lint"]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert str(project / "pyproject.toml") in said.err


def test_no_registry_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["list"]) == 2
    assert "extreg init" in capsys.readouterr().err


def test_a_folder_in_the_place_of_the_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "folder.toml" / "registry.toml").mkdir(parents=True)
    for arguments in (["list"], ["lint"], ["add", "--no-import", "m:C"]):
        assert main([*arguments, "--registry", "folder.toml"]) == 2
        assert "cannot read" in capsys.readouterr().err


def test_a_reexport_is_stored_as_what_it_is(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Because pickle looks up nothing else; and the command says so."""
    assert main(["add", f"{package}:Order"]) == 0
    said = capsys.readouterr()
    assert said.out.endswith(f' = "{package}.models:Order"\n')
    assert said.err == (
        f"note: {package}:Order is really {package}.models:Order, which is what pickle looks up; added as that\n"
    )
    assert main(["add", f"{package}.models:Order.Line", f"{package}.models:local"]) == 0
    assert codes() == {f"{package}.models:{name}" for name in ("Order", "Order.Line", "local")}
    assert capsys.readouterr().err == (
        f"note: nested-name: {package}.models:Order.Line names something inside a class: protocols 2 and 3 dump it, "
        "none loads it\n"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("models:Missing", "has no 'Missing'"),
        ("models:Ordre", "did you mean"),
        ("models:Order.Lin", "has no 'Lin'"),
        ("models:ORDER", "is an instance of"),
        ("models:Inner", "which pickle cannot find"),
        ("models:Renamed", "has no attribute 'Lost'"),
        ("models:Other", "that is another object"),
        ("nothing:Order", "No module named"),
    ],
)
def test_what_pickle_could_not_find_is_refused(
    name: str, message: str, package: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", f"{package}.{name}"]) == 1
    assert message in capsys.readouterr().err
    assert codes() == set()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise RuntimeError('no database')", "RuntimeError: no database"),
        ("import sys; sys.exit(0)", "SystemExit: 0"),
        ("raise BaseException('odd')", "BaseException: odd"),
        ("import no_such_module_anywhere", "No module named 'no_such_module_anywhere'"),
        ("def f(:", "SyntaxError"),
        ("def __getattr__(name): raise RuntimeError('lazy')", "getting shop_broken.C fails: RuntimeError: lazy"),
    ],
)
def test_a_module_that_fails_to_import(
    source: str, message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its failure reads as its own, and says how to do without."""
    (project / "shop_broken.py").write_text(source)
    assert main(["add", "shop_broken:C"]) == 1
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""
    assert "Traceback" not in said.err
    assert codes() == set()
    assert main(["add", "--no-import", "shop_broken:C"]) == 0
    assert codes() == {"shop_broken:C"}


def test_what_a_module_prints_is_not_our_output(run_extreg: Run, project: Path) -> None:
    (project / "src").mkdir()
    (project / "src" / "shop_loud.py").write_text("print('connecting')\nclass C: pass\n")
    done = run_extreg("add", "shop_loud:C")
    assert done.returncode == 0
    assert done.stdout.startswith("".join(filter(str.isdecimal, done.stdout.partition(" ")[0])) + " = ")
    assert "connecting" not in done.stdout
    assert "connecting" in done.stderr


def test_the_path_is_given_back(package: str) -> None:
    before = list(sys.path)
    assert main(["add", f"{package}:Order"]) == 0
    assert sys.path == before


def test_move_resolves_too(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["add", "--no-import", "old.home:Order"]) == 0
    assert main(["move", "old.home:Order", f"{package}:Order"]) == 0
    assert codes() == {f"{package}.models:Order"}


def test_a_symlink_stays_one(project: Path) -> None:
    (project / "real").mkdir()
    (project / "real" / "codes.toml").write_text(EMPTY)
    link = project / "link.toml"
    link.symlink_to("real/codes.toml")
    assert main(["add", "--no-import", "--registry", "link.toml", "m:C"]) == 0
    assert link.is_symlink()
    assert set(Registry.load(project / "real" / "codes.toml").codes.values()) == {"m:C"}
    assert [path.name for path in (project / "real").iterdir()] == ["codes.toml"]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o664, 0o755])
def test_the_mode_stays(mode: int, project: Path) -> None:
    path = project / "registry.toml"
    path.chmod(mode)
    assert main(["add", "--no-import", "m:C"]) == 0
    assert path.stat().st_mode & 0o7777 == mode


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give files away")
def test_the_owner_stays(project: Path) -> None:
    path = project / "registry.toml"
    os.chown(path, 12345, 23456)
    path.chmod(0o640)
    assert main(["add", "--no-import", "m:C"]) == 0
    status = path.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (12345, 23456, 0o640)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project.chmod(0o555)
    try:
        assert main(["add", "--no-import", "m:C"]) == 2
        assert "cannot write" in capsys.readouterr().err
    finally:
        project.chmod(0o755)
    assert codes() == set()


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(
    step: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the system refuses, the file is as it was and nothing lies about."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), refuse)
    assert main(["add", "--no-import", "m:C"]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert (project / "registry.toml").read_text() == EMPTY
    assert [path.name for path in project.iterdir()] == ["registry.toml"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_that_cannot_be_written(project: Path) -> None:
    (project / "registry.toml").write_text(EMPTY + '240 = "m:C"\n')
    with open("/dev/full", "w") as full:
        line = [sys.executable, "-m", "extreg", "list"]
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "extreg: [Errno 28] No space left on device\n"


def test_a_reader_that_goes_away(project: Path) -> None:
    """`extreg list | head -1` is no error worth a message."""
    rows = "".join(f'{code} = "m:C{code}"\n' for code in range(256, 20_000))
    (project / "registry.toml").write_text(EMPTY + rows)
    line = [sys.executable, "-m", "extreg", "list"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_control_c(project: Path) -> None:
    """While a module is imported, and while the lock is waited for."""
    # In many short sleeps: a signal that comes just before a long one is seen only after it (on 3.15 one in three is).
    slow = "import time\nprint('here', flush=True)\nfor _ in range(1200):\n    time.sleep(0.05)\n"
    (project / "shop_slow.py").write_text(slow)
    line = [sys.executable, "-m", "extreg", "add", "shop_slow:C"]
    with subprocess.Popen(
        line,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What runs the tests in the background may have told them to ignore it, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, "extreg: interrupted\n")
    assert codes() == set()


@pytest.mark.skipif(sys.platform == "win32", reason="flock is POSIX's")
def test_a_writer_waits_for_the_lock(project: Path) -> None:
    import fcntl

    holder = os.open(project, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    line = [sys.executable, "-m", "extreg", "add", "--no-import", "m:C"]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL) as process:
        time.sleep(0.5)
        assert process.poll() is None
        os.close(holder)
        assert process.wait(30) == 0
    assert codes() == {"m:C"}


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", "b\\xfccher:M"), ("utf-8", "b\u00fccher:M")])
def test_a_name_that_the_terminal_cannot_show(encoding: str, shown: str, run_extreg: Run, project: Path) -> None:
    (project / "registry.toml").write_text(EMPTY + '240 = "b\u00fccher:M"\n', encoding="utf-8")
    done = run_extreg("list", env={"PYTHONIOENCODING": encoding})
    assert (done.returncode, done.stdout, done.stderr) == (0, f"240  live       {shown}\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="a directory in use stays on Windows")
@pytest.mark.skipif(sys.implementation.name != "cpython", reason="PyPy itself does not start there")
def test_a_working_directory_that_is_gone(project: Path) -> None:
    line = "cd gone && rmdir ../gone && exec " + sys.executable + " -m extreg list"
    (project / "gone").mkdir()
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


class Terminal:
    def isatty(self) -> bool:
        return True


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR with any value but an empty one turns it off, as https://no-color.org has it."""
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    assert coloured("text", "red", terminal) == "\033[31mtext\033[0m"
    monkeypatch.setenv("NO_COLOR", "")
    assert coloured("text", "red", terminal) == "\033[31mtext\033[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert coloured("text", "red", terminal) == "text"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert coloured("text", "red", terminal) == "text"
    monkeypatch.setenv("TERM", "xterm")
    assert coloured("text", "red", sys.stdout) == "text"


def test_what_is_said_comes_in_order_in_one_pipe(tmp_path: Path) -> None:
    """As in the log of any CI, where stdout is buffered and stderr is not."""
    (tmp_path / "registry.toml").write_text("format = 1\n")
    whole = pickle.dumps([1, 2, 3], 4)
    (tmp_path / "torn").write_bytes(whole + whole[:-1])
    command = [sys.executable, "-m", "extreg", "scan", "torn"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("1 pickle (")
    assert lines[-1].startswith("unreadable: torn")


def test_an_error_that_nobody_foresaw_is_told_in_full(tmp_path, run_extreg):
    """Here by a library that is broken; it was exit code 130 and not a word."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "tomli_w.py").write_text("raise RuntimeError('broken on purpose')\n")
    done = run_extreg("init", env={"PYTHONPATH": str(tmp_path / "broken")})
    assert done.returncode == 2
    assert "RuntimeError: broken on purpose" in done.stderr
    assert done.stderr.endswith("please report it\n")
    assert not (tmp_path / "registry.toml").exists()
