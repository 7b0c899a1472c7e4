from extreg.reduce import versioned


@versioned(2, {1: dict})
class Order:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        self.note = ''


@versioned(4, {3: dict}, unversioned=3)
class Line:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


def up(state):
    return {'tax': 0, **state}


@versioned(2, {1: up})
class Basket:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        self.date = None
