"""What a finding is known by in tools that keep findings: where its file is in the repository, and a fingerprint."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from extreg.linter.finding import Finding

# Where something else stands, which may move too.
_LINES = re.compile(r"\blines? [0-9]+(?:(?:, | and )[0-9]+)*|:[0-9]+\b")


def fingerprints(findings: Sequence[Finding]) -> list[str]:
    """Return for each finding what it can be known by again when lines have moved: 16 hexadecimal digits and a number.

    The number tells those apart that are otherwise the same, in the order of the file.  GitHub reads them as those that
    it would compute itself (https://docs.github.com/code-security, SARIF support, "partialFingerprints").
    """
    seen: Counter[str] = Counter()
    marks = []
    for found in findings:
        said = "\0".join((found.rule, in_repository(found.path), _LINES.sub("", found.message)))
        digest = sha256(said.encode(errors="surrogatepass")).hexdigest()[:16]
        seen[digest] += 1
        marks.append(f"{digest}:{seen[digest]}")
    return marks


def in_repository(path: str) -> str:
    """Return `path` as seen from the top of the repository that it is in, where CI looks it up.

    Without a repository: from the working directory, where it is below that.
    """
    place = Path(os.path.abspath(path))  # noqa: PTH100 - a link stays the file that it is in the repository
    top = next((folder for folder in place.parents if (folder / ".git").exists()), Path.cwd())
    return place.relative_to(top).as_posix() if place.is_relative_to(top) else place.as_posix()
