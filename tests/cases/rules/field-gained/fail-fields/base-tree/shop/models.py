from dataclasses import dataclass, field


@dataclass
class Order:
    id: int
    rabatt: int
