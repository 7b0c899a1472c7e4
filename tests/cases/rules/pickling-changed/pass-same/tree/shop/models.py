class Order:
    """An order."""

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines

    def __getstate__(self):
        """All of it."""
        return dict(self.__dict__)
