"""Interleaved measuring: every case once per round, so that a machine that slows down slows all of them down."""

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyperf


@dataclass(frozen=True)
class Timings:
    """The seconds of each case, one per round, in the same order for all cases."""

    seconds: Mapping[str, Sequence[float]]

    def median(self, case: str) -> float:
        """Return the median of a case, in seconds."""
        run = pyperf.Run(list(self.seconds[case]), metadata={"name": case}, collect_metadata=False)
        return float(pyperf.Benchmark([run]).median())

    def ratio(self, case: str, to: str, beyond: str | None = None) -> float:
        """Return the median, over the rounds, of `case` divided by `to`; both less `beyond`'s median if given."""
        base = self.median(beyond) if beyond is not None else 0.0
        pairs = zip(self.seconds[case], self.seconds[to], strict=True)
        return statistics.median((one - base) / (two - base) for one, two in pairs)


def processes(commands: Mapping[str, Sequence[str]], rounds: int, environment: Mapping[str, str]) -> Timings:
    """Return the processor seconds (user and system) of each command, a fresh process per round."""
    seconds: dict[str, list[float]] = {case: [] for case in commands}
    for number in range(rounds + 1):
        for case, command in commands.items():
            spent = _process(command, environment)
            if number:  # the first round warms caches up
                seconds[case].append(spent)
    return Timings(seconds)


def _process(command: Sequence[str], environment: Mapping[str, str]) -> float:
    child = subprocess.Popen(command, env=dict(environment), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"failed: {command}")
    return usage.ru_utime + usage.ru_stime


def functions(cases: Mapping[str, Callable[[], object]], rounds: int) -> Timings:
    """Return the seconds of each function, called once per round."""
    seconds: dict[str, list[float]] = {case: [] for case in cases}
    for number in range(rounds + 1):
        for case, function in cases.items():
            start = time.perf_counter()
            function()
            spent = time.perf_counter() - start
            if number:
                seconds[case].append(spent)
    return Timings(seconds)


def repeated(cases: Mapping[str, Callable[[], object]], rounds: int, least: float = 0.005) -> Timings:
    """Return the processor seconds of each function, repeated in each round until `least` seconds have passed.

    For what takes microseconds, or for a busy machine: what other processes do is not counted, and what they do to
    caches and clock falls on all cases of a round alike.
    """
    counts = {}
    for case, function in cases.items():
        function()  # warms caches up
        begin, count = time.process_time(), 0
        while time.process_time() - begin < least:
            function()
            count += 1
        counts[case] = count
    seconds: dict[str, list[float]] = {case: [] for case in cases}
    for _ in range(rounds):
        for case, function in cases.items():
            again = range(counts[case])
            begin = time.process_time()
            for _ in again:
                function()
            seconds[case].append((time.process_time() - begin) / counts[case])
    return Timings(seconds)


def machine() -> str:
    """Name the machine's kind and the Python."""
    metadata = pyperf.Run([1.0], collect_metadata=True).get_metadata()
    processor = metadata.get("cpu_model_name") or platform.processor() or platform.machine()
    return f"{processor}, {os.cpu_count()} processors, {platform.system()}, CPython {platform.python_version()}"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def interpreter() -> str:
    """Return the Python that runs this."""
    return sys.executable
