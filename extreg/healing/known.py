"""What plain pickle is to find, as the rest of the room reads it; `extreg.healing` says what that is."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from extreg.healing import Table

# Replaced as a whole, so that readers need no lock.
standing: "Table" = {}
# The modules in it and the packages above them.
modules: "Collection[str]" = ()
# Our finder on `sys.meta_path`.
finder: object = None
