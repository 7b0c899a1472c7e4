class Order:
    __slots__ = ('id', 'lines')

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
