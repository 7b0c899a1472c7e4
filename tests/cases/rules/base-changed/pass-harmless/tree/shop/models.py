from abc import ABC, abstractmethod
from enum import Enum
from typing import NamedTuple


class Bag(dict):
    pass


class Base(ABC):
    @abstractmethod
    def total(self): ...


class Shop(Base):
    def total(self): ...


class Mixin:
    pass


class Order(Mixin):
    pass
