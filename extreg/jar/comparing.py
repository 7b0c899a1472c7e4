"""What is different between two trees, as a tree: what changed, below the lines that it is part of."""

from collections.abc import Sequence
from difflib import SequenceMatcher


def difference(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Return the lines of two trees that are not in both, marked with ``-`` and ``+``, and those above them."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    # A line that is in both is known by its number before.
    same = {
        there + number: here + number for here, there, size in matcher.get_matching_blocks() for number in range(size)
    }
    kept = set(same.values())
    found: list[str] = []
    told: set[int] = set()
    for kind, begin, end, first, last in matcher.get_opcodes():
        if kind == "equal":
            continue
        numbers = above(before, begin) if first == last else [same.get(number, -1) for number in above(after, first)]
        # What stands above and is not in both has been told as a difference itself.
        for number in numbers:
            if number >= 0 and number not in told and number in kept:
                told.add(number)
                found.append(f"  {before[number]}")
        found += [f"- {line}" for line in before[begin:end]]
        found += [f"+ {line}" for line in after[first:last]]
    return found


def above(lines: Sequence[str], at: int) -> list[int]:
    """Return the numbers of the lines that line `at` is part of, the outermost first."""
    numbers: list[int] = []
    depth = indent(lines[at])
    for number in range(at - 1, -1, -1):
        if depth == 0:
            break
        if indent(lines[number]) < depth:
            depth = indent(lines[number])
            numbers.append(number)
    return numbers[::-1]


def indent(line: str) -> int:
    """Return how many spaces a line begins with."""
    return len(line) - len(line.lstrip(" "))
