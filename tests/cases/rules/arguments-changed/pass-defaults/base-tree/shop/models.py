from collections import namedtuple
from typing import NamedTuple


class Point(NamedTuple):
    x: int
    y: int


class Order:
    def __init__(self, id):
        self.id = id

    def __reduce__(self):
        return Order, (self.id,)


class Plain:
    def __init__(self, id):
        self.id = id


def build(kind, value):
    return kind(value)
