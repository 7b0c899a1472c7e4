class Base:
    __slots__ = ()


class Order(Base):
    __slots__ = ('id', 'lines')

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
