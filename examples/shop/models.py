"""What the shop stores."""

from dataclasses import dataclass, field
from enum import Enum

from shop.money import Money


class Status(Enum):
    """How far an order has come."""

    OPEN = "open"
    PAID = "paid"


@dataclass
class Line:
    """So many of one thing."""

    sku: str
    count: int
    price: Money


@dataclass
class Order:
    """What a customer wants."""

    number: int
    lines: list[Line] = field(default_factory=list)
    status: Status = Status.OPEN
