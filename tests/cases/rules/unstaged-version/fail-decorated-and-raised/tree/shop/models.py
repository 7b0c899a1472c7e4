from extreg.reduce import versioned


def up(state):
    return {**state, "currency": "EUR"}


def down(state):
    del state["currency"]
    return state


@versioned(2, {1: up})
class Order:
    def __init__(self, number, currency):
        self.number = number
        self.currency = currency


@versioned(4, {1: up, 2: up, 3: up})
class Line:
    def __init__(self, number, currency):
        self.number = number
        self.currency = currency
