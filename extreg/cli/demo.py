"""The demo: the whole idea in ten seconds, through the real command line and real processes."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import extreg
from extreg.cli import demo_program
from extreg.cli.command import Command
from extreg.cli.output import coloured, say, say_as_it_is
from extreg.errors import ExtregError


def _demo(_: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="extreg-demo-", ignore_cleanup_errors=True) as folder:
        stage = _Stage(Path(folder).resolve())
        _allocate(stage)
        _measure(stage)
        _move(stage)
        _collide(stage)
    say("", "The temporary folder is gone. In a project of your own: extreg init, extreg add MODULE:CLASS, and")
    say("extreg.install() where the program starts.")
    return 0


class _Stage:
    """The temporary folder and how to run things in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        package = str(Path(extreg.__file__).resolve().parent.parent)  # where a run from a checkout finds extreg
        path = os.pathsep.join(filter(None, [str(folder), package, os.environ.get("PYTHONPATH")]))
        hidden = ("EXTREG_REGISTRY", "EXTREG_ON_CONFLICT")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        self.environment = {**environment, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def command(self, *arguments: str) -> str:
        """Run an extreg command in a process of its own, show it with its output, and return the output."""
        say_as_it_is(coloured(f"$ extreg {' '.join(arguments)}", "bold", sys.stdout))
        output = self._run([sys.executable, "-m", "extreg", *arguments])
        say(*output.splitlines())
        return output

    def script(self, name: str, text: str, *arguments: str) -> str:
        """Write a program, run it in a fresh process, and return what it printed."""
        self.write(name, text)
        say_as_it_is(coloured(f"$ {' '.join(['python', name, *arguments])}", "bold", sys.stdout))
        return self._run([sys.executable, name, *arguments])

    def _run(self, line: list[str]) -> str:
        done = subprocess.run(  # noqa: S603 - our own interpreter and our own files
            line, cwd=self.folder, env=self.environment, capture_output=True, text=True, encoding="utf-8", check=False
        )
        if done.returncode != 0:
            say(*done.stdout.splitlines(), *done.stderr.splitlines())
            raise ExtregError(f"the demo failed at: {' '.join(line[1:])}")
        return done.stdout


def _headline(text: str) -> None:
    say_as_it_is(f"\n{coloured(text, 'cyan', sys.stdout)}")


def _allocate(stage: _Stage) -> None:
    say(f"A small program in {stage.folder}: shop/models.py (Order, Line) and shop/money.py (Money).")
    stage.write("shop/__init__.py", "")
    stage.write("shop/models.py", demo_program.MODELS)
    stage.write("shop/money.py", demo_program.MONEY)
    _headline("1. A registry gives each class a code, for ever")
    stage.command("init", "--registry", "registry.toml")
    stage.command("add", "--range", "hot", "shop.money:Money")
    stage.command("add", "shop.models:Order", "shop.models:Line")
    stage.command("lint")


def _measure(stage: _Stage) -> None:
    _headline("2. extreg.install() in a fresh process; the same objects dumped by name and by code")
    result = json.loads(stage.script("dump.py", demo_program.DUMP))
    say(result["installation"])
    width = max(len(shown) for shown, _, _ in result["rows"])
    say(f"{'object':{width}}  {'by name':>8}  {'by code':>8}")
    for shown, by_name, by_code in result["rows"]:
        say(f"{shown:{width}}  {by_name:6} B  {by_code:6} B  {by_code / by_name:4.0%}")


def _move(stage: _Stage) -> None:
    _headline("3. Order and Line move to another module; the stored pickles stay where they are")
    stage.write("shop/orders.py", demo_program.MODELS)
    (stage.folder / "shop" / "models.py").unlink()
    stage.command("move", "shop.models:Order", "shop.orders:Order")
    stage.command("move", "shop.models:Line", "shop.orders:Line")
    say(*stage.script("load.py", demo_program.LOAD).splitlines())


def _collide(stage: _Stage) -> None:
    _headline("4. Another library hard-coded one of our codes: nothing is installed by half")
    code = min(extreg.Registry.load(stage.folder / "registry.toml").codes)
    say(*stage.script("collide.py", demo_program.COLLIDE, str(code)).splitlines())


def _configure(parser: argparse.ArgumentParser) -> None:
    """The demo takes no options."""


COMMAND = Command(
    name="demo",
    description="Write a small program and a registry into a temporary folder, allocate codes, install them in a "
    "fresh process, compare sizes, move a class, and provoke a collision. Nothing is left behind.",
    examples="  extreg demo",
    configure=_configure,
    run=_demo,
)
