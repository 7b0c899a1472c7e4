class Base:
    pass


class Order(Base):
    __slots__ = ('id', 'lines')

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


class Line:
    __slots__ = ('id', 'lines')

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines

    note = property(lambda self: '', lambda self, value: None)


class Basket:
    __slots__ = ('id', 'lines')

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines

    def __setstate__(self, state):
        self.id, self.lines = state[1]['id'], state[1]['lines']
