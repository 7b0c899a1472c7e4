from dataclasses import dataclass, field


@dataclass
class Order:
    id: int


@dataclass(frozen=True)
class Line:
    price: int
