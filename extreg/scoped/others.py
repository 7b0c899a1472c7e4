"""The former and other names of what a registry permits."""

from extreg.registry.model import Registry
from extreg.registry.renames import Names
from extreg.registry.target import is_target, split
from extreg.scoped.resolve import resolve

Name = tuple[str, str]


class Others:
    """What else the targets in `own` are called: once, elsewhere, and under an older library."""

    def __init__(self, registry: Registry, own: frozenset[Name]) -> None:
        self.own = own
        self._registry = registry
        self._known: dict[Name, Name] = {}
        # Where nothing is recorded, nothing need be asked.
        self._any = bool(registry.moved or registry.aliases or registry.renamed)

    def today(self, name: Name) -> Name | None:
        """Return the permitted target that `name` is a former or other name of, or None."""
        if not self._any:
            return None
        found = self._known.get(name)
        if found is None:
            spelled = ":".join(name)
            now = self._registry.current(spelled) if is_target(spelled) else spelled
            key = split(now) if now != spelled else name
            if key == name or key not in self.own:
                return None
            self._known[name] = found = key
        return found

    def resolve(self, name: Name) -> object:
        """Return the object of a permitted target; by another name that it has where that one is not there.

        Not by one that it had before it moved, which something else may have by now.  Raises ImportError and
        AttributeError for the target itself.
        """
        try:
            return resolve(*name)
        except (ModuleNotFoundError, AttributeError):
            for other in self._elsewhere(name) if self._any else ():
                try:
                    return resolve(*split(other))
                except (ModuleNotFoundError, AttributeError):
                    continue
            raise

    def _elsewhere(self, name: Name) -> list[str]:
        registry = self._registry
        moved = {former for names in registry.moved.values() for former in names}
        _, *others = registry.names(":".join(name))
        current = registry.derived(Names).current
        return [other for other in others if other not in moved and other not in current]
