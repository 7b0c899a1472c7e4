"""Running `inside` in a child process with one release on its path."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MOST_DEATHS = 25
SECONDS = 240
_START = """
import sys
sys.path[:0] = {path!r}
sys.path.append({here!r})
from inside.{name} import main
main()
"""


def run(name: str, path: Iterable[Path], task: dict[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
    """Run ``inside.NAME`` with `path` before the standard library's; return its answers, and at what it died if it did.

    No site-packages, no variables of the user's: what is found is the release, and the same in every run.
    """
    with tempfile.TemporaryDirectory() as scratch:
        job = Path(scratch, "job.json")
        job.write_text(json.dumps({**task, "scratch": scratch}), encoding="utf-8")
        start = _START.format(path=[str(folder) for folder in path], here=str(HERE), name=name)
        environment = {key: value for key, value in os.environ.items() if key in ("PATH", "SYSTEMROOT", "LANG")}
        environment |= {"HOME": scratch, "PYTHONHASHSEED": "0", "TZ": "UTC", "PYTHONWARNINGS": "ignore"}
        command = [sys.executable, "-S", "-s", "-c", start, str(job)]
        log = Path(scratch, "answers")
        dead = False
        with log.open("wb") as answers:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=answers,
                stderr=subprocess.DEVNULL,
                env=environment,
                cwd=scratch,
            )
            try:
                dead = child.wait(SECONDS) != 0
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                dead = True
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    starts = [line["start"] for line in lines if "start" in line]
    return [line for line in lines if "label" in line], (starts[-1] if starts else "") if dead else None


def made(path: Iterable[Path], task: dict[str, Any]) -> list[dict[str, Any]]:
    """Make a release's objects, beginning again after one that took the child down, without it."""
    left_out: list[str] = []
    for number in range(MOST_DEATHS):
        answers, death = run("make", path, {**task, "skip_labels": left_out, "number": number})
        if death is None:
            return answers
        if not death:
            break
        left_out.append(death)
    raise SystemExit(f"{task['folder']}: the child died {len(left_out)} times, last at {left_out[-1:]}")


def loaded(path: Iterable[Path], task: dict[str, Any]) -> list[dict[str, Any]]:
    """Load pickles under a release, beginning again behind one that took the child down."""
    items, found = task["items"], []
    while items:
        answers, death = run("load", path, {**task, "items": items})
        found += answers
        if death is None:
            break
        found.append({"label": death, "outcome": "fails", "error": "the process died"})
        done = [item["label"] for item in items].index(death) if death else len(items)
        items = items[done + 1 :]
    return found
