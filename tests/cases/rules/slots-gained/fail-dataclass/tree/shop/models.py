from dataclasses import dataclass, field


@dataclass(slots=True)
class Order:
    id: int


@dataclass(slots=True, frozen=True)
class Line:
    price: int
