from extreg.reduce import versioned


def up(state):
    return {**state, "currency": "EUR"}


def down(state):
    del state["currency"]
    return state


class Order:
    def __init__(self, number):
        self.number = number


@versioned(2, {1: up})
class Line:
    def __init__(self, number, currency):
        self.number = number
        self.currency = currency
