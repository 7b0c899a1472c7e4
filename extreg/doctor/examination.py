"""All that doctor looks at."""

from pathlib import Path

from extreg.doctor.starting import Asked, process_verdicts
from extreg.doctor.surroundings import other_verdicts
from extreg.doctor.usage import usage_of
from extreg.doctor.verdicts import Verdict
from extreg.doctor.wishes import Wishes


def examine(registry: Path, wishes: Wishes) -> list[Verdict]:
    """Return a verdict on everything, processes first: the cache is looked at when they have started.

    Raises `RegistryError` and `UnreadableError` for what cannot be read.
    """
    registry = registry.absolute()
    asked = Asked(str(registry), wishes.main, wishes.celery, wishes.dask, usage_of(wishes.folder, wishes.main))
    return [*process_verdicts(asked), *other_verdicts(registry)]
