from abc import ABC, abstractmethod
from enum import Enum
from typing import NamedTuple


class Bag:
    pass


class Name:
    pass


class Point:
    def __init__(self, x):
        self.x = x


class Color:
    RED = 1


class Shop(ABC):
    @abstractmethod
    def total(self): ...
