import collections
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from decimal import Decimal as Amount


class Base:
    class Meta:
        pass


@dataclass
class Order(Base):
    class Line:
        pass

    Row = Line


class Basket:
    def __init__(self):
        class Local:
            pass


Point = collections.namedtuple("Point", "x y")


class Pair(NamedTuple):
    left: int
    right: int
