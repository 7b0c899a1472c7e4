from abc import ABC, abstractmethod
from enum import Enum
from typing import NamedTuple


class Bag(dict):
    pass


class Name(str):
    pass


class Point(NamedTuple):
    x: int


class Color(Enum):
    RED = 1


class Shop(ABC):
    pass
