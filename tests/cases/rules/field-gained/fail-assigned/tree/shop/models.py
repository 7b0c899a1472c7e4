class Base:
    def __init__(self):
        self._setup()

    def _setup(self):
        self.discount, self._tax = 0, 0

    def total(self):
        return self._tax


class Order(Base):
    def __init__(self, id, lines):
        super().__init__()
        if id:
            self.id = self.number = id
        else:
            self.id = self.number = None
        with open('log') as self.log:
            pass
        object.__setattr__(self, 'lines', lines)
        self.quiet = self._quiet = 1
