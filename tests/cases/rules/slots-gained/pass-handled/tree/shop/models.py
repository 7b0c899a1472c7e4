from extreg.reduce import versioned


class Order:
    __slots__ = ('id', 'lines')

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines

    def __setstate__(self, state):
        for name, value in state.items():
            setattr(self, name, value)


class Base:
    pass


class Line(Base):
    __slots__ = ('id', 'lines')

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


class Basket:
    __slots__ = ('id', 'lines')

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines

    def __reduce__(self):
        return Basket, (self.id, self.lines)


class Empty:
    __slots__ = ()


class Kept:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


@versioned(2, {1: lambda state: state})
class Known:
    __slots__ = ('id', 'lines')

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
