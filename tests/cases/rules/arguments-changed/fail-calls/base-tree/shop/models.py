from collections import namedtuple
from typing import NamedTuple


class Point(NamedTuple):
    x: int
    y: int


class Size(namedtuple('Size', 'width height')):
    pass


class Order:
    def __init__(self, id):
        self.id = id

    def __reduce__(self):
        return Order, (self.id,)


class Line:
    pass


def build(kind, value):
    return kind(value)
