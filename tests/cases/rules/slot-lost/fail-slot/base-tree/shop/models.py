class Order:
    __slots__ = ('id', 'lines', 'note')

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        self.note = ''
