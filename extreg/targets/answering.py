"""What a child process that runs other people's code shares with its like: where its answers go."""

import json
import os
import sys
from typing import TextIO


def taken_over() -> TextIO:
    """Return standard output, and leave user code an input that is empty and standard error for its output."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(2, 1)
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115 - what is printed before a hang is not lost
    return answers


def say(answers: TextIO, *parts: object) -> None:
    """Write one line: a JSON array."""
    answers.write(json.dumps(parts) + "\n")
    answers.flush()
