from extreg.reduce import versioned


@versioned(3, {1: dict, 2: dict})
class Order:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
