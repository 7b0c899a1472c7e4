from extreg.reduce import versioned


@versioned(2, {1: dict})
class Order:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


@versioned(1)
class Line:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
