from elsewhere import Base, mark, OPTIONS
from dataclasses import dataclass


class Order(Base):
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


@mark
class Line:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


@dataclass(**OPTIONS)
class Basket:
    id: int
