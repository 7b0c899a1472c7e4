"""The pytest plugin: fixtures that isolate copyreg, and ``--extreg-lint``.

pytest loads it in every run of every project that has extreg installed, so it imports nothing more until asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("extreg", "pickle extension codes")
    group.addoption("--extreg-lint", action="store_true", help="lint registry.toml as one more test item")
    group.addoption(
        "--extreg-registry", metavar="PATH", help="the file --extreg-lint lints (default: registry.toml in the rootdir)"
    )


@pytest.fixture
def isolated_copyreg() -> Iterator[None]:
    """Forget after the test what it did to copyreg: extension codes, their cache, and reducers."""
    from extreg.testing.isolation import isolated

    with isolated():
        yield


@pytest.fixture
def empty_copyreg() -> Iterator[None]:
    """As `isolated_copyreg`, and start the test without any extension code."""
    from extreg.testing.isolation import isolated

    with isolated(empty=True):
        yield


@pytest.hookimpl(tryfirst=True)  # ahead of -k and -m, which may deselect the item like any other
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the lint item."""
    if config.getoption("--extreg-lint"):
        given = config.getoption("--extreg-registry")
        path = Path(config.invocation_params.dir, given) if given else config.rootpath / "registry.toml"
        place = f"{path.name}::extreg-lint"
        items.append(LintItem.from_parent(session, name="extreg-lint", nodeid=place, registry=path))


class LintItem(pytest.Item):
    """The lint of one registry; it fails with the findings, one to a line."""

    def __init__(self, *, registry: Path, **options: Any) -> None:
        super().__init__(**options)
        self.registry = registry

    def runtest(self) -> None:
        """Lint the registry."""
        from extreg.linter.run import lint

        findings = [str(finding) for finding in lint(self.registry)]
        if findings:
            raise LintFailure("\n".join(findings))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show findings as they are, and anything else as pytest does."""
        if isinstance(excinfo.value, LintFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say where: the registry as a whole."""
        return self.registry, None, self.name


class LintFailure(Exception):  # noqa: N818 - it is a finding, not an error
    """What the lint found."""
