from extreg.reduce import versioned


class Value:
    note = ''

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        self.note = ''


class Lazy:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        self.lazy = ''

    def __getattr__(self, name):
        return None


class Guarded:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        self.careful = ''

    def text(self):
        return getattr(self, 'careful', '')


class Failed(Exception):
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        self.why = ''


class Named:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        self.told = ''

    def __setstate__(self, state):
        self._restore(state)

    def _restore(self, state):
        self.__dict__.update(state)
        self.__dict__.setdefault('told', '')


class Looped:
    __slots__ = ('id', 'lines', 'more', '__dict__')

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        self.more = ''

    def __setstate__(self, state):
        for name in self.__slots__:
            setattr(self, name, state.get(name))


class Maybe:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        if lines:
            self.odd = ''
        for self.last in lines:
            pass
        try:
            self.size = len(lines)
        except TypeError:
            pass


@versioned(2, {1: lambda state: {'date': None, **state}})
class Known:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        self.date = None


class Made:
    def __new__(cls, *args):
        self = super().__new__(cls)
        self.made = True
        return self

    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        self.made = True


class Tried:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        self.cost = 1

    def total(self):
        try:
            return self.cost
        except AttributeError:
            return 0


class Property:
    def __init__(self, id, lines):
        self.id = id
        self.lines = lines
        self.tax = 1

    @property
    def tax(self):
        return 1

    @tax.setter
    def tax(self, value):
        pass
