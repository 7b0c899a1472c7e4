"""What lint says of two releases: their sources as two commits of a repository, with codes for what was dumped."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

FIRST = 256
STATE_RULES = frozenset(
    {"slots-gained", "field-gained", "enum-changed", "arguments-changed", "base-changed", "slot-lost"}
    | {"version-lowered", "missing-migration"}
)
_OF_BACK = "a new pickle"
_SOURCE = shutil.ignore_patterns("*.pyc", "__pycache__", "*.dist-info", "bin")


@dataclass(frozen=True, slots=True)
class Found:
    """A finding about a target."""

    rule: str
    target: str
    message: str
    note: bool
    """Whether it is of the level that fails nothing."""

    def names(self, word: str) -> bool:
        """Whether the message has an attribute's name in it, mangled or not."""
        return re.search(rf"(?<![\w.]){re.escape(word)}(?!\w)", self.message) is not None


def found(
    old: Path, new: Path, packages: Sequence[str], needs: Iterable[Path], targets: Iterable[str]
) -> tuple[list[Found], list[Found]]:
    """Return lint's findings about the state of `targets`: about old pickles, and about new ones and old readers.

    The old release is the first commit of a repository, the new one the second.
    """
    with tempfile.TemporaryDirectory(prefix="extreg-state-") as name:
        repository = Path(name).resolve()
        lines = dict(enumerate(sorted(set(targets)), 3))
        rows = [f'{FIRST + number} = "{target}"' for number, target in enumerate(lines.values())]
        (repository / "registry.toml").write_text("\n".join(["format = 1", "[codes]", *rows, ""]), encoding="utf-8")
        # What a working tree has beside the sources: compiled modules, built in place and ignored.
        (repository / ".gitignore").write_text("*.so\n*.pyd\n", encoding="utf-8")
        _git(repository, "init", "--quiet")
        for release in (old, new):
            _replace(repository, release, packages)
            _git(repository, "add", "--all")
            _git(repository, "-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "--allow-empty", "-m", "x")
        command = [sys.executable, "-m", "extreg", "lint", "--against", "HEAD~1", "--rolling", "--format", "json"]
        command += ["--select", ",".join(sorted(STATE_RULES))]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, needs))}
        done = subprocess.run(
            command, cwd=repository, capture_output=True, encoding="utf-8", env=environment, check=False
        )
        if done.returncode not in (0, 1):
            raise SystemExit(f"lint of {old} and {new}: {done.stderr}")
        findings = json.loads(done.stdout)["findings"]
    forward: list[Found] = []
    back: list[Found] = []
    for each in findings:
        side = back if _OF_BACK in each["message"] else forward
        side.append(Found(each["rule"], _target(each, lines), each["message"], each["level"] == "note"))
    return forward, back


def _target(finding: dict[str, object], lines: dict[int, str]) -> str:
    """Return what a finding is about: a class that the message names, or what stands in its line of the registry."""
    named = re.match(r"code \d+ \((\S+?)\): ", str(finding["message"]))
    return named[1] if named else lines.get(int(str(finding["line"])), "")


def _replace(repository: Path, release: Path, packages: Sequence[str]) -> None:
    for package in packages:
        shutil.rmtree(repository / package, ignore_errors=True)
        for path in release.glob(f"{package}*"):
            if path.name == package and path.is_dir():
                shutil.copytree(path, repository / package, ignore=_SOURCE)
            elif path.is_file():
                shutil.copy(path, repository)


def _git(repository: Path, *arguments: str) -> None:
    command = ["git", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false", *arguments]
    subprocess.run(command, cwd=repository, check=True, capture_output=True)
