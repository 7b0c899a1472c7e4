from extreg.reduce import versioned


@versioned(1)
class Order:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
