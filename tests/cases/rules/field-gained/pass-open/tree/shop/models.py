class Order:
    def __init__(self, **fields):
        self.note = ''
