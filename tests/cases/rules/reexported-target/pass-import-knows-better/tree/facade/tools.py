def renamed(name):
    def change(kind):
        kind.__module__ = name
        return kind
    return change
