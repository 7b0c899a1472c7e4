from enum import Enum, Flag, IntFlag, auto


class Color(Enum):
    RED = 1
    GREEN = 2


class Step(Enum):
    FIRST = auto()
    SECOND = auto()


class Right(Flag):
    READ = auto()
    WRITE = auto()
