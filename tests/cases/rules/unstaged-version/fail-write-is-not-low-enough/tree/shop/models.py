from extreg.reduce import versioned


def up(state):
    return {**state, "currency": "EUR"}


def down(state):
    del state["currency"]
    return state


@versioned(3, {1: up, 2: up}, write=2, reverse={2: down})
class Order:
    def __init__(self, number, currency):
        self.number = number
        self.currency = currency


@versioned(2, {1: up}, write=2)
class Line:
    def __init__(self, number, currency):
        self.number = number
        self.currency = currency
