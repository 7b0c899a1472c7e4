"""The command line's frame: arguments in, exit code out, errors as one message.

Nothing is imported here that the command which runs does not need.
"""

import os
import sys

from extreg import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

_INTERRUPTED = 130  # as shells have it: 128 and the number of SIGINT


def main(argv: "Sequence[str] | None" = None) -> int:
    """Run the command line and return its exit code."""
    given = sys.argv[1:] if argv is None else list(argv)
    if given == ["--version"]:
        try:
            sys.stdout.write(f"extreg {__version__}\n")
            sys.stdout.flush()
        except OSError as error:
            _drop_what_cannot_be_written()
            sys.stderr.write(f"extreg: {error}\n")
            return 2
        return 0
    from extreg.cli.output import note, say_error
    from extreg.cli.parsing import run_command
    from extreg.errors import ExtregError, RegistryError, UnreadableError

    try:
        code = run_command(given)
        sys.stdout.flush()
    except ExtregError as error:
        say_error(error)
        return 2 if isinstance(error, (RegistryError, UnreadableError)) else 1
    except BrokenPipeError:
        # The reader of our output went away, as `| head` does.
        _drop_what_cannot_be_written()
        return 1
    except OSError as error:  # the working directory is gone, the disk full
        _drop_what_cannot_be_written()
        say_error(ExtregError(str(error)))
        return 2
    except KeyboardInterrupt:
        note("interrupted", label="extreg", colour="red")
        return _INTERRUPTED
    return code


def _drop_what_cannot_be_written() -> None:
    """See to it that nobody trips over what is still in stdout: whoever writes an error, or Python when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell_all() -> int:
    """Print the traceback of an error that nobody foresaw; return the exit code."""
    from traceback import print_exc

    print_exc()
    sys.stderr.write("extreg: this is a defect of extreg, or of what it was installed with; please report it\n")
    return 2


def run() -> "NoReturn":
    """Run the command line and leave the process with its exit code."""
    from extreg import process

    process.prepare()
    code = _INTERRUPTED
    try:
        process.interruptible()
        code = main()
    except KeyboardInterrupt:  # while another error was being told
        pass
    except OSError:  # nor can the error be told: stderr is full
        code = 2
    except Exception:  # noqa: BLE001 - a defect, or a library that is broken: told in full, and never passed over
        code = _tell_all()
    finally:
        process.finish(code)
