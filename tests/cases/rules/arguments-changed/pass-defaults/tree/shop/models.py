from collections import namedtuple
from typing import NamedTuple


class Point(NamedTuple):
    across: int
    down: int
    z: int = 0


class Order:
    def __init__(self, id, lines=()):
        self.id = id

    def __reduce__(self):
        return Order, (self.id, ())


class Plain:
    def __init__(self, id, more, *, key):
        self.id = id


def build(sort, value=None, *rest, key=None):
    return sort(value)
