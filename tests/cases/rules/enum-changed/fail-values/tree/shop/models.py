from enum import Enum, Flag, IntFlag, auto


class Color(Enum):
    RED = 1
    BLUE = 3


class Step(Enum):
    ZEROTH = auto()
    FIRST = auto()
    SECOND = auto()


class Right(Flag):
    READ = auto()
