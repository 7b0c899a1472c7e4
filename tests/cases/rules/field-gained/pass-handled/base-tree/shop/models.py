class Value:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


class Lazy:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


class Guarded:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


class Failed(Exception):
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


class Named:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


class Looped:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


class Maybe:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


class Known:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


class Made:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


class Tried:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines


class Property:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
