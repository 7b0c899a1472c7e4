"""A file that is replaced just as somebody has opened it to write: nothing is lost, or the run says where it is."""

import os
import pickle
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from extreg.cli.main import main
from extreg.stores import replacing

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="files change places on Linux only")
OLD = pickle.dumps(OrderedDict(number=0), 4) * 20
LATE = pickle.dumps(OrderedDict(number=1), 4)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "registry.toml").write_text('format = 1\n\n[codes]\n240 = "collections:OrderedDict"\n')
    (tmp_path / "data").write_bytes(OLD)
    return tmp_path / "data"


@pytest.fixture
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on systems that do not tell who has a file open."""
    import fcntl

    monkeypatch.delattr(fcntl, "F_SETLEASE")


@pytest.fixture(params=["exchange", "rename"])
def around(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Do something between the last comparison and the replacement, and something after that."""
    real = replacing.exchange if request.param == "exchange" else lambda one, other: False
    replace = Path.replace

    def around(before: Callable[[], object], after: Callable[[], object] = lambda: None) -> None:
        calls: list[None] = []

        def exchange(one: Path, other: Path) -> bool:
            if not calls:
                before()
            calls.append(None)
            done = real(one, other)
            if not done:
                monkeypatch.setattr(Path, "replace", lambda *names: (replace(*names), after()))
            elif len(calls) == 1:
                after()
            return done

        monkeypatch.setattr(replacing, "exchange", exchange)

    return around


def rewrite() -> int:
    return main(["rewrite", "--to", "codes", "data"])


def tails(path: Path, late: bytes) -> bool:
    data = path.read_bytes()
    return data.endswith(late) and len(data) < len(OLD) and data.count(late) == 1


@pytest.mark.usefixtures("untold")
def test_what_is_appended_after_the_replacement_is_carried_over(path: Path, around: Callable[..., None]) -> None:
    opened: list[IO[bytes]] = []

    def append() -> None:
        with opened[0] as file:
            file.write(LATE)

    around(lambda: opened.append(path.open("ab")), append)
    assert rewrite() == 0
    assert tails(path, LATE)
    assert sorted(os.listdir(path.parent)) == ["data", "registry.toml"]


@pytest.mark.usefixtures("untold")
def test_what_is_appended_some_time_after_the_replacement(path: Path, around: Callable[..., None]) -> None:
    opened: list[IO[bytes]] = []

    def append() -> None:
        time.sleep(0.02)
        with opened[0] as file:
            file.write(LATE)

    thread = threading.Thread(target=append)
    around(lambda: opened.append(path.open("ab")), thread.start)
    assert rewrite() == 0
    thread.join()
    assert tails(path, LATE)


@pytest.mark.usefixtures("untold")
def test_what_was_appended_is_carried_over_also_when_the_run_is_interrupted(
    path: Path, around: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[IO[bytes]] = []

    def append() -> None:
        with opened[0] as file:
            file.write(LATE)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    around(lambda: opened.append(path.open("ab")), append)
    monkeypatch.setattr(replacing.time, "sleep", interrupt)
    assert rewrite() == 130
    assert tails(path, LATE)
    assert sorted(os.listdir(path.parent)) == ["data", "registry.toml"]


APPENDER = "import sys\nwith open('data', 'ab') as file:\n    file.write(bytes.fromhex(sys.argv[1]))\n"


def test_who_waits_to_open_the_file_is_known(path: Path, around: Callable[..., None]) -> None:
    """The old file is what it waits for, and what it appends there is carried over, however late that is."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        started.append(subprocess.Popen([sys.executable, "-c", APPENDER, LATE.hex()]))
        time.sleep(0.5)
        assert started[0].poll() is None, "it should wait"

    around(start)
    assert rewrite() == 0
    assert started[0].wait() == 0
    assert tails(path, LATE)
    assert sorted(os.listdir(path.parent)) == ["data", "registry.toml"]


@pytest.fixture
def keeps_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[IO[bytes]], None]]:
    """Write to an open file again and again, until the end of the test."""
    monkeypatch.setattr(replacing, "_LATE_PATIENCE", 0.2)
    done = threading.Event()
    threads: list[threading.Thread] = []

    def write(file: IO[bytes]) -> None:
        with file:
            while not done.wait(0.005):
                file.write(LATE)
                file.flush()

    def keep_on(file: IO[bytes]) -> None:
        threads.append(threading.Thread(target=write, args=[file]))
        threads[0].start()

    yield keep_on
    done.set()
    threads[0].join()


@pytest.mark.usefixtures("untold")
def test_who_goes_on_writing_to_the_old_file_is_reported_with_its_name(
    path: Path, around: Callable[..., None], keeps_on: Callable[[IO[bytes]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[IO[bytes]] = []
    around(lambda: opened.append(path.open("ab")), lambda: keeps_on(opened[0]))
    assert rewrite() == 2
    said = capsys.readouterr()
    assert said.out.startswith("changed data: ")
    assert "failed: data: it is rewritten, but another program had opened the old file just before" in said.err
    kept = [name for name in os.listdir(path.parent) if name.startswith("data.extreg-old-")]
    if kept:
        assert f"; the old file is {path.parent / kept[0]}: stop that program" in said.err
        assert (path.parent / kept[0]).read_bytes().startswith(OLD + LATE)
    else:
        assert "; the old file has no name any more: stop that program and look what is missing" in said.err


@pytest.mark.usefixtures("untold")
def test_a_change_in_place_is_reported(
    path: Path, around: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[IO[bytes]] = []

    def change() -> None:
        with opened[0] as file:
            file.write(b"x")

    around(lambda: opened.append(path.open("r+b")), change)
    assert rewrite() == 2
    assert "had opened the old file just before and changed it in place; the old file " in capsys.readouterr().err


def test_a_file_that_another_program_put_there_is_there_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It came after the last comparison, at each of three attempts."""
    exchange = replacing.exchange
    calls: list[None] = []

    def busy(one: Path, other: Path) -> bool:
        calls.append(None)
        if len(calls) % 2:  # every second call puts the file back
            (path.parent / "mine").write_bytes(pickle.dumps(OrderedDict(number=len(calls)), 4) * 20)
            (path.parent / "mine").replace(path)
        return exchange(one, other)

    monkeypatch.setattr(replacing, "exchange", busy)
    assert rewrite() == 2
    assert "failed: data: somebody else replaced it meanwhile; it is left as it is" in capsys.readouterr().err
    assert len(calls) == 6
    assert path.read_bytes() == pickle.dumps(OrderedDict(number=5), 4) * 20
    assert sorted(os.listdir(path.parent)) == ["data", "registry.toml"]
