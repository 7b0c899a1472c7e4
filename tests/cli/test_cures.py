"""Every command that a message offers is one: collected from the sources and from what rules find, and parsed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import extreg
from extreg.cli.commands import COMMANDS, entry_of, load
from extreg.cli.parsing import _parser_of, _split
from extreg.linter.check import BY_NAME, check
from extreg.linter.rule_pages import documentation

from ..rules.test_cases import FOLDERS, context

pytestmark = [pytest.mark.slow, pytest.mark.once]

SOURCES = sorted(Path(extreg.__file__).parent.rglob("*.py"))
# What stands in for a value, so that it is a code, a target and a path at once as far as the parsers are concerned.
VALUE = "300"
NAMES = "|".join(sorted((entry.name for entry in COMMANDS), key=len, reverse=True))
# Up to where a message goes on, or says something in words.
OFFER = re.compile(rf"\bextreg((?: --registry \S+)? (?:{NAMES})(?![\w-])[^;,()\n`'\"&|]*)")


def texts(path: Path) -> Iterator[str]:
    """Yield the strings of a source that are no documentation, with what is filled in replaced."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else VALUE for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation | inner:
            yield re.sub(r"\{\w*\}", VALUE, node.value)


def offers(text: str) -> Iterator[str]:
    for found in OFFER.finditer(text):
        yield re.sub(r"(?<= )N\b", VALUE, found[1].strip().rstrip(".:?"))


def parsed(offer: str) -> int:
    """Return how many of the words of an offer are a command that parses; the rest is what the message says of it."""
    words = offer.split()
    for count in range(len(words), 0, -1):
        try:
            _, name, rest = _split(words[:count])
            _parser_of(load(entry_of(name))).parse_args(rest)
        except SystemExit:
            continue
        return count
    return 0


def mistakes(offer: str) -> str | None:
    """Return what is wrong with a command, or None."""
    words = offer.split()
    count = parsed(offer)
    if len(words) == 1:
        return None  # which is spoken of, and not offered
    if not count:
        return "no command"
    left = [word for word in words[count:] if word.startswith("--") or word in (VALUE, "NAME", "TARGET", "CODE")]
    return f"takes no {left[0]}" if left else None


OFFERED = sorted({(path.name, offer) for path in SOURCES for text in texts(path) for offer in offers(text)})


def test_there_are_many() -> None:
    assert len({offer for _, offer in OFFERED}) > 60


@pytest.mark.parametrize(("source", "offer"), OFFERED, ids=lambda part: part[:60])
def test_an_offer_in_a_message_is_a_command(source: str, offer: str, capsys) -> None:
    assert mistakes(offer) is None


@pytest.mark.parametrize("name", BY_NAME)
def test_an_offer_in_the_documentation_of_a_rule_is_a_command(name: str, capsys) -> None:
    for quoted in re.findall(r"`extreg ([^`]*)`", documentation(BY_NAME[name])):
        # In running text a command may stand without its operands.
        given = re.sub(r"(?<= )N\b", VALUE, quoted)
        assert None in {mistakes(f"{given}{more}") for more in ("", f" {VALUE}", f" {VALUE} {VALUE}")}, quoted


def test_what_rules_advise_is_a_command(capsys) -> None:
    hints = {finding.hint for folder in FOLDERS for finding in check(context(folder))}
    found = {offer for hint in hints for offer in offers(hint)}
    assert len(found) > 30
    assert {offer: mistakes(offer) for offer in found if mistakes(offer)} == {}
