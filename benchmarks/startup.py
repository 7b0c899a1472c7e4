"""What a start costs: extreg.install() against a hand-written module of add_extension calls, and what else is slow.

python benchmarks/startup.py [--rounds 60]
"""

import argparse
import datetime
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import harness
import tomli

import extreg
from extreg.linter.run import lint
from extreg.registry import life
from extreg.startup import read

SIZES = (10, 100, 1_000, 10_000)


def rows(count: int) -> Iterator[tuple[int, str, str]]:
    """Yield codes with targets like a real program's: forty modules, some classes each."""
    for number in range(count):
        yield 256 + number, f"shop.area{number % 40}.models", f"Class{number}"


def write(folder: Path, count: int) -> None:
    """Write a registry, and the module that a user would write by hand."""
    lines = [f'{code} = "{module}:{name}"\n' for code, module, name in rows(count)]
    folder.mkdir()
    (folder / "registry.toml").write_text("format = 1\n\n[codes]\n" + "".join(lines))
    calls = [f"copyreg.add_extension({module!r}, {name!r}, {code})\n" for code, module, name in rows(count)]
    (folder / "by_hand.py").write_text("import copyreg\n\n" + "".join(calls))


def starts(folder: Path, rounds: int) -> harness.Timings:
    """Measure processes that start in `folder`."""
    python = harness.interpreter()
    registry = repr(str(folder / "registry.toml"))
    unwarmed = repr(str(folder / "cold" / "registry.toml"))
    (folder / "cold").mkdir()
    (folder / "cold" / "registry.toml").write_bytes((folder / "registry.toml").read_bytes())
    cold = f"import sys; sys.dont_write_bytecode = True; import extreg; extreg.install({unwarmed})"
    (folder / "former.toml").write_text(
        (folder / "registry.toml").read_text().replace("format = 1\n", "format = 1\nformer-names = true\n")
        + '\n[moved]\n256 = ["shop.old:Class0"]\n\n[renamed]\n"shop.old:Box" = "shop.new:Box"\n'
    )
    commands = {
        "former names": [python, "-c", f"import extreg; extreg.install({str(folder / 'former.toml')!r})"],
        "interpreter": [python, "-c", "pass"],
        "by hand": [python, "-c", "import by_hand"],
        "warm": [python, "-c", f"import extreg; extreg.install({registry})"],
        "without cache": [python, "-c", cold],
        "tomli": [python, "-c", f"import tomli; tomli.loads(open({registry}, encoding='utf-8').read())"],
        "import extreg": [python, "-c", "import extreg"],
    }
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return harness.processes(commands, rounds, {**environment, "PYTHONPATH": str(folder)})


def inside(folder: Path, rounds: int) -> harness.Timings:
    """Measure, with everything loaded, what a long-running program and a developer wait for."""
    path = folder / "registry.toml"
    text = path.read_text()
    registry = extreg.Registry.load(path)
    changed = text.replace(":Class5", ":Class5x", 1)
    installation = extreg.install(path)
    versions = iter(range(1_000_000))

    def change() -> None:
        number = next(versions)  # two a round, so that the codes of one round are others than those of the next
        # A comment that no cache has seen, or the second to read a change would find the cache of the first.
        path.write_text(f"{changed if number // 2 % 2 else text}# {number}\n")

    def read_change() -> None:
        change()
        read(str(path))

    def reload() -> None:
        change()
        installation.reload()

    timings = harness.functions(
        {
            "tomli": lambda: tomli.loads(text),
            "install": lambda: extreg.install(path).uninstall(),
            "read a change": read_change,
            "reload": reload,
            "lint": lambda: lint(path, sources=False),
            "allocation": lambda: life.add(registry, "shop.new:Thing"),
        },
        rounds,
    )
    installation.uninstall()
    return timings


@contextmanager
def folders() -> Iterator[dict[int, Path]]:
    """Write a folder per size."""
    with tempfile.TemporaryDirectory() as name:
        found = {count: Path(name, str(count)) for count in SIZES}
        for count, folder in found.items():
            write(folder, count)
        yield found


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    today = datetime.datetime.now(datetime.timezone.utc).date()
    print(f"{today}, {harness.machine()}; {rounds} interleaved rounds, medians\n")
    processes, loaded = [], []
    with folders() as found:
        for count, folder in found.items():
            timings = starts(folder, rounds)
            milliseconds = [f"{timings.median(case) * 1000:.1f}" for case in ("interpreter", "by hand", "warm")]
            processes.append(
                [
                    f"{count:,}",
                    *milliseconds,
                    f"**{timings.ratio('warm', 'by hand'):.2f}**",
                    f"{timings.ratio('without cache', 'tomli', 'interpreter'):.2f}",
                    f"{timings.ratio('import extreg', 'interpreter'):.2f}",
                    f"{timings.ratio('former names', 'warm'):.3f}",
                ]
            )
            timings = inside(folder, max(5, rounds // 4))
            cases = ("install", "reload", "lint", "allocation")
            ratios = [f"{timings.ratio(case, 'tomli'):.2f}" for case in cases]
            ratios.append(f"{timings.ratio('reload', 'read a change'):.2f}")
            loaded.append([f"{count:,}", f"{timings.median('tomli') * 1000:.2f}", *ratios])
    head = [
        "codes",
        "interpreter ms",
        "by hand ms",
        "extreg warm ms",
        "warm / by hand",
        "cold / tomli*",
        "import / interpreter",
        "former names / warm",
    ]
    print(harness.table(head, processes))
    print(
        "\n\\* without a cache, beyond the interpreter: extreg.install() over tomli's import and parsing of the file\n"
    )
    head = ["codes", "tomli.loads ms", "install + uninstall", "reload", "lint", "allocate one", "reload / read"]
    print(harness.table(head, loaded))
    print(
        "\nWith everything loaded; each column is a ratio to tomli.loads of the same file, but the last: a reload"
        " to the mere reading of such a change."
    )


if __name__ == "__main__":
    main()
