from extreg.reduce import versioned


@versioned(2, {1: dict}, write=1, reverse={1: dict})
class Order:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
