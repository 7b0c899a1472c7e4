from extreg.reduce import versioned


@versioned(2, {1: dict})
class Order:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


@versioned(2, {1: dict})
class Line:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


def up(state):
    return {'tax': 0, **state}


@versioned(1)
class Basket:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
