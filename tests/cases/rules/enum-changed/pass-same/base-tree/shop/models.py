from enum import Enum, Flag, IntFlag, auto


class Color(Enum):
    RED = 1
    GREEN = 2


class Step(Enum):
    FIRST = 1


class Right(IntFlag):
    READ = 1
    WRITE = 2
    BOTH = READ | WRITE
