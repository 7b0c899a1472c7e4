import copyreg as registry
import importlib
from copyreg import add_extension as register

from six.moves import copyreg as moved

FIRST = 240
PACKAGE = "shop"
MODELS: str = PACKAGE + ".models"
give = registry.add_extension


class Order:
    pass


register("shop", "A", 241)
registry.add_extension("shop", "B", FIRST + 2)
moved.add_extension(MODELS, "C", FIRST + 3)
give(__name__, "D", 1 << 8)
importlib.import_module("copyreg").add_extension("shop", "E", 257)
__import__("copy_reg").add_extension("shop", "F", 258)
register(Order.__module__, Order.__qualname__, 259)
