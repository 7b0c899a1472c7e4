class Order:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
