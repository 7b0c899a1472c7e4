"""The commands that look into stored pickles: scan, dis, suggest and rewrite.

What runs them is imported when it is wanted: it is half of the package, and no other command needs it.
"""

import argparse
from collections.abc import Callable
from importlib import import_module

from extreg.cli.command import Command, registry_option


def _later(name: str) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        code: int = import_module(f"extreg.cli.{name}").run(arguments)
        return code

    return run


def _path_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the PATHs, ``--format`` and ``--registry``."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, or a folder with all that is below it")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    registry_option(parser)


def _jobs(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 256:
        raise ValueError
    return count


_jobs.__name__ = "number of processes"


def _configure_scan(parser: argparse.ArgumentParser) -> None:
    _path_arguments(parser)
    parser.add_argument("--code", metavar="CODE", help="only say whether this code (or target) is in use, and where")
    parser.add_argument("--jobs", type=_jobs, default=1, metavar="N", help="read with so many processes (default: 1)")


def _configure_dis(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE[::MEMBER]", help="a file; of an archive or a database all pickles, or that of one member"
    )
    registry_option(parser)


def _bytes(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError
    return count


_bytes.__name__ = "number of bytes"


def _configure_suggest(parser: argparse.ArgumentParser) -> None:
    _path_arguments(parser)
    parser.add_argument(
        "--use",
        choices=("live", "scoped"),
        default="live",
        help="live: pickle itself dumps the codes; scoped: so do extreg.dumps and rewrite (default: live)",
    )
    parser.add_argument("--apply", action="store_true", help="add the codes to the registry, as extreg add does")
    parser.add_argument(
        "--min-saved", type=_bytes, default=1, metavar="BYTES", help="propose what saves at least this (default: 1)"
    )


def _configure_rewrite(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", choices=("codes", "names"), required=True, help="what to write")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if something would change")
    parser.add_argument(
        "--independent",
        action="store_true",
        help="several pickles in a file share no memo, where that does not show: none was dumped by the Pickler that "
        "dumped the one before",
    )
    _path_arguments(parser)


COMMANDS = (
    Command(
        name="scan",
        description=(
            "List the globals and codes in stored pickles, without executing any: in plain files, gzip, bz2, xz and "
            "zip files (torch and numpy archives too), shelves and other dbm databases, and SQLite's BLOBs. Exit code: "
            "1 when a code is unknown to the registry or retired. With --code: 0 when that code is not in use, 1 when "
            "it is, 2 when something could not be read, so that nobody can say."
        ),
        examples="  extreg scan data/ cache.db\n  extreg scan data/ --code 4711       before extreg retire 4711\n"
        "  extreg scan data/ --jobs 4 --format json",
        configure=_configure_scan,
        run=_later("scan"),
    ),
    Command(
        name="dis",
        description=(
            "Show the opcodes of a stored pickle, without executing it, in the manner of pickletools, each code with "
            "its target and state beside it."
        ),
        examples="  extreg dis order.pickle\n  extreg dis model.pt::model/data.pkl\n"
        "  extreg dis cache.sqlite::entries.value#1",
        configure=_configure_dis,
        run=_later("dis"),
    ),
    Command(
        name="suggest",
        description=(
            "Price codes for the globals in stored pickles by what every opcode and memo entry costs there, and list "
            "those that save bytes. One-byte codes go where they save most. Nothing is proposed that has or had a "
            "code, that loses bytes, or that extreg lint would object to."
        ),
        examples="  extreg suggest samples/\n  extreg suggest samples/ --use scoped --min-saved 1000\n"
        "  extreg suggest samples/ --apply",
        configure=_configure_suggest,
        run=_later("suggest"),
    ),
    Command(
        name="rewrite",
        description=(
            "Put live codes in the place of names in stored pickles, or names in the place of all codes the registry "
            "knows, retired ones too. Each file is replaced in one step, so that a crash leaves it old or new. What "
            "cannot be proved to load the same stays as it is, and is counted. Plain, gzip, bz2 and xz files are "
            "rewritten; archives and databases are left alone, and named."
        ),
        examples="  extreg rewrite --to codes --check data/\n  extreg rewrite --to codes data/\n"
        "  extreg rewrite --to names old.pickle    before its codes are retired, or for readers without extreg",
        configure=_configure_rewrite,
        run=_later("rewrite"),
    ),
)
