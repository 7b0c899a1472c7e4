class Order:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines

    def __getstate__(self):
        return dict(self.__dict__)
