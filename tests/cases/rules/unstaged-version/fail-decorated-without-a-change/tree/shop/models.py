from extreg.reduce import versioned


def up(state):
    return {**state, "currency": "EUR"}


def down(state):
    del state["currency"]
    return state


@versioned(1)
class Order:
    def __init__(self, number):
        self.number = number


@versioned(3, unversioned=3)
class Line:
    def __init__(self, number):
        self.number = number
