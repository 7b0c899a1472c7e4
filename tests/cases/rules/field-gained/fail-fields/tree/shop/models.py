from dataclasses import dataclass, field


@dataclass
class Order:
    id: int
    discount: int
    lines: list = field(default_factory=list)
    note: str = ''
