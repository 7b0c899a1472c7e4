from extreg.reduce import versioned


def up(state):
    return {'note': '', **state}


@versioned(3, {1: dict, 2: up})
class Order:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        self.note = ''


@versioned(2, {1: convert})
class Line:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        self.date = None
