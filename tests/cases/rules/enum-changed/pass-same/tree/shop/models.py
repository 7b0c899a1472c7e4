from enum import Enum, Flag, IntFlag, auto


class Color(Enum):
    CRIMSON = 1
    GREEN = 2
    BLUE = 3


class Step(Enum):
    SECOND = 2

    @classmethod
    def _missing_(cls, value):
        return cls.SECOND


class Right(IntFlag):
    READ = 1
    WRITE = 2
