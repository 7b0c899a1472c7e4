class Order:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


class Line:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


class Basket:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines

    def __reduce__(self):
        return Basket, (self.id, self.lines)


class Empty:
    pass


class Kept:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


class Known:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
