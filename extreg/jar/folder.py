"""Where the jar of a registry is."""

from pathlib import Path

from extreg.errors import UnreadableError
from extreg.project.locate import near, read_pyproject
from extreg.startup.pyproject import table_in

DEFAULT = Path("tests", "jar")


def jar_folder(registry: Path) -> Path:
    """Return the folder of the jar that belongs to the registry file at `registry`.

    What ``[tool.extreg] jar`` in the nearest pyproject.toml upward names, from that file's folder; else ``tests/jar``
    beside the registry.  Raises `UnreadableError` for a setting that is no string.
    """
    folder = registry.absolute().parent
    pyproject, data = read_pyproject(folder)
    value = table_in(data, pyproject, "tool", "extreg").get("jar")
    if value is None:
        return near(folder / DEFAULT)
    if not isinstance(value, str) or not value:
        raise UnreadableError(
            f"{pyproject}: tool.extreg.jar: expected a string, found {value!r}",
            'a folder, from that of the file: jar = "tests/jar"',
        )
    return near(pyproject.parent / value)
