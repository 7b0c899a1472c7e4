"""The page of rules and the files for CI are those of this version."""

import re
from pathlib import Path

import pytest
import tomli

from extreg.linter.check import BY_NAME
from extreg.linter.rule_pages import page

ROOT = Path(__file__).parent.parent.parent


def test_the_page_of_rules_is_current() -> None:
    """Written anew by: extreg rule --format markdown > docs/rules.md"""
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == page()


def test_every_rule_stands_once_on_the_page() -> None:
    assert sorted(re.findall(r"(?m)^### (.+)$", page())) == sorted(BY_NAME)


@pytest.mark.parametrize("name", ["docs/ci.md", "docs/rules.md", ".pre-commit-hooks.yaml"])
def test_options_in_the_documentation_exist(extreg, name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    known = extreg("lint", "--help").stdout + extreg("rule", "--help").stdout
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(re.findall(r"extreg (?:lint|rule)[^\n`]*", text))))
    assert {option for option in options if option not in known} == set()


def test_settings_in_the_documentation_are_accepted(extreg, project) -> None:
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    settings = re.findall(r"```toml\n(\[tool\.extreg\.lint\].*?)```", text, re.DOTALL)
    assert settings
    for block in settings:
        tomli.loads(block)
        (project / "pyproject.toml").write_text(block)
        assert extreg("lint").returncode == 0
