"""When a code was demoted, as git has it."""

from pathlib import Path

from extreg.census.verdict import Demotion, first_demotion
from extreg.errors import ExtregError, UnreadableError
from extreg.linter.past import main_line


def demotion_of(code: int, path: Path) -> Demotion | None:
    """Return which commit on this branch made `code` load-only in the file at `path`; None if it never was live.

    What was merged counts from its merge on, since that is what is released.  Raises `UnreadableError` where git cannot
    say, and `ExtregError` where the demotion is not committed.
    """
    try:
        versions = main_line(path)
    except UnreadableError as error:
        raise UnreadableError(
            f"nobody can say when code {code} was demoted, which a census has to come after: {error.message}",
            error.hint,
        ) from None
    newest = versions[0]
    if code in newest.live:
        raise ExtregError(
            f"code {code} is load-only here, and live in commit {newest.commit[:10]}, the last one of {path}: nothing "
            "that was released has demoted it",
            "commit that, deploy it everywhere, and then take the census",
        )
    return first_demotion(iter(versions), code)
