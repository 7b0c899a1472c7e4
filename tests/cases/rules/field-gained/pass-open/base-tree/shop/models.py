class Order:
    def __init__(self, **fields):
        for name, value in fields.items():
            setattr(self, name, value)
