from abc import ABC, abstractmethod
from enum import Enum
from typing import NamedTuple


class Bag:
    pass


class Shop(ABC):
    pass


class Order:
    pass
