from elsewhere import Base, mark, OPTIONS
from dataclasses import dataclass


class Order(Base):
    __slots__ = ('id', 'lines')

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


@mark
class Line:
    __slots__ = ('id', 'lines')

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


@dataclass(slots=True, **OPTIONS)
class Basket:
    id: int
