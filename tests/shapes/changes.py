"""Changes of state: both sources, an object of the old one, and what becomes of its pickle.

Each is really dumped under the old source and loaded under the new one, in processes of their own (`really.py`).
"""

from typing import NamedTuple


class Case(NamedTuple):
    """One change of the class ``C``: ``make`` makes the object, ``use`` what is done with it (``it``) after loading.

    ``raises`` is a part of what is raised then, or of the value's repr where nothing is; ``cured`` is the new source
    with the first edit that lint offers, under which ``use`` gives ``gives``.
    """

    name: str
    rule: str
    old: str
    make: str
    new: str
    use: str
    raises: str
    cured: str
    gives: str
    protocol: int = 2


VERSIONED = "from extreg.reduce import versioned\n"
DATA = "from dataclasses import dataclass, field\n"

CASES = (
    Case(
        "slots",
        "slots-gained",
        "class C:\n    def __init__(self):\n        self.a = 1\n",
        "C()",
        "class C:\n    __slots__ = ('a',)\n    def __init__(self):\n        self.a = 1\n",
        "it.a",
        "AttributeError: 'C' object has no attribute '__dict__'",
        VERSIONED + "@versioned(2, {1: lambda state: state})\n"
        "class C:\n    __slots__ = ('a',)\n    def __init__(self):\n        self.a = 1\n",
        "1",
    ),
    Case(
        "data_slots",
        "slots-gained",
        DATA + "@dataclass\nclass C:\n    a: int\n    b: int\n",
        "C(1, 2)",
        DATA + "@dataclass(slots=True)\nclass C:\n    a: int\n    b: int\n",
        "(it.a, it.b)",
        "AttributeError: 'C' object has no attribute '__dict__'",
        VERSIONED + DATA + "@versioned(2, {1: lambda state: state})\n"
        "@dataclass(slots=True)\nclass C:\n    a: int\n    b: int\n",
        "(1, 2)",
    ),
    Case(
        "frozen_slots",
        "slots-gained",
        DATA + "@dataclass(frozen=True)\nclass C:\n    a: int\n    b: int\n",
        "C(1, 2)",
        DATA + "@dataclass(frozen=True, slots=True)\nclass C:\n    a: int\n    b: int\n",
        "(it.a, it.b)",
        "('a', 'b')",
        VERSIONED + DATA + "@versioned(2, {1: lambda state: [state.get(name) for name in ('a', 'b')]})\n"
        "@dataclass(frozen=True, slots=True)\nclass C:\n    a: int\n    b: int\n",
        "(1, 2)",
    ),
    Case(
        "field",
        "field-gained",
        "class C:\n    def __init__(self):\n        self.a = 1\n",
        "C()",
        "class C:\n    def __init__(self):\n        self.a = 1\n        self.b = 2\n",
        "it.b",
        "AttributeError: 'C' object has no attribute 'b'",
        "class C:\n    b = None\n    def __init__(self):\n        self.a = 1\n        self.b = 2\n",
        "None",
    ),
    Case(
        "factory",
        "field-gained",
        DATA + "@dataclass\nclass C:\n    a: int\n",
        "C(1)",
        DATA + "@dataclass\nclass C:\n    a: int\n    b: list = field(default_factory=list)\n",
        "it.b",
        "AttributeError: 'C' object has no attribute 'b'",
        DATA + "@dataclass\nclass C:\n    a: int\n    b: list = None\n",
        "None",
    ),
    Case(
        "slotted_default",
        "field-gained",
        DATA + "@dataclass(slots=True)\nclass C:\n    a: int\n",
        "C(1)",
        DATA + "@dataclass(slots=True)\nclass C:\n    a: int\n    b: int = 5\n",
        "it.b",
        "object has no attribute 'b'",
        VERSIONED + DATA + '@versioned(2, {1: lambda state: (state[0], {"b": None, **state[1]})})\n'
        "@dataclass(slots=True)\nclass C:\n    a: int\n    b: int = 5\n",
        "None",
    ),
    Case(
        "renamed",
        "field-gained",
        "class C:\n    def __init__(self):\n        self.price = 7\n",
        "C()",
        "class C:\n    def __init__(self):\n        self.cost = 7\n",
        "it.cost",
        "AttributeError: 'C' object has no attribute 'cost'",
        VERSIONED + '@versioned(2, {1: lambda state: {"cost": state["price"], **state}})\n'
        "class C:\n    def __init__(self):\n        self.cost = 7\n",
        "7",
    ),
    Case(
        "enum_gone",
        "enum-changed",
        "from enum import Enum\nclass C(Enum):\n    A = 1\n    B = 2\n",
        "C.B",
        "from enum import Enum\nclass C(Enum):\n    A = 1\n    D = 3\n",
        "it",
        "ValueError: 2 is not a valid C",
        "from enum import Enum\nclass C(Enum):\n    A = 1\n    D = 3\n    B = 2\n",
        "<C.B: 2>",
    ),
    Case(
        "enum_value",
        "enum-changed",
        "from enum import Enum\nclass C(str, Enum):\n    A = 'a'\n    B = 'b'\n",
        "C.B",
        "from enum import Enum\nclass C(str, Enum):\n    A = 'a'\n    B = 'bee'\n",
        "it",
        "ValueError: 'b' is not a valid C",
        "from enum import Enum\nclass C(str, Enum):\n    A = 'a'\n    B = 'bee'\n"
        "    @classmethod\n    def _missing_(cls, value): return {'b': cls.B}.get(value)\n",
        "<C.B: 'bee'>",
    ),
    Case(
        "enum_auto",
        "enum-changed",
        "from enum import Enum, auto\nclass C(Enum):\n    A = auto()\n    B = auto()\n",
        "C.B",
        "from enum import Enum, auto\nclass C(Enum):\n    NEW = auto()\n    A = auto()\n    B = auto()\n",
        "it",
        "<C.A: 2>",
        "from enum import Enum, auto\nclass C(Enum):\n    A = 1\n    B = 2\n    NEW = 3\n",
        "<C.B: 2>",
    ),
    Case(
        "tuple_longer",
        "arguments-changed",
        "from typing import NamedTuple\nclass C(NamedTuple):\n    a: int\n    b: int\n",
        "C(1, 2)",
        "from typing import NamedTuple\nclass C(NamedTuple):\n    a: int\n    b: int\n    c: int\n",
        "it.c",
        "TypeError: C.__new__() missing 1 required positional argument: 'c'",
        "from typing import NamedTuple\nclass C(NamedTuple):\n    a: int\n    b: int\n    c: int = 0\n",
        "0",
    ),
    Case(
        "tuple_shorter",
        "arguments-changed",
        "from collections import namedtuple\nC = namedtuple('C', 'a b')\n",
        "C(1, 2)",
        "from collections import namedtuple\nC = namedtuple('C', 'a')\n",
        "it",
        "TypeError: C.__new__() takes 2 positional arguments but 3 were given",
        "from collections import namedtuple\nC = namedtuple('C', 'a b')\n",
        "C(a=1, b=2)",
    ),
    Case(
        "tuple_swapped",
        "arguments-changed",
        "from collections import namedtuple\nC = namedtuple('C', ['a', 'b'])\n",
        "C(1, 2)",
        "from collections import namedtuple\nC = namedtuple('C', ['b', 'a'])\n",
        "it",
        "C(b=1, a=2)",
        "from collections import namedtuple\nC = namedtuple('C', ['a', 'b'])\n",
        "C(a=1, b=2)",
    ),
    Case(
        "reduce",
        "arguments-changed",
        "class C:\n    def __init__(self, a):\n        self.a = a\n"
        "    def __reduce__(self):\n        return type(self), (self.a,)\n",
        "C(1)",
        "class C:\n    def __init__(self, a, b):\n        self.a = a\n"
        "    def __reduce__(self):\n        return type(self), (self.a, self.a)\n",
        "it.a",
        "TypeError: C.__init__() missing 1 required positional argument: 'b'",
        "class C:\n    def __init__(self, a, b=None):\n        self.a = a\n"
        "    def __reduce__(self):\n        return type(self), (self.a, self.a)\n",
        "1",
    ),
    Case(
        "reduce_function",
        "arguments-changed",
        "def build(a):\n    return C()\nclass C:\n    def __reduce__(self):\n        return build, (1,)\n",
        "C()",
        "def build(a, *, b):\n    return C()\nclass C:\n    def __reduce__(self):\n        return build, (1,)\n",
        "it",
        "TypeError: build() missing 1 required keyword-only argument: 'b'",
        "def build(a, *, b=None):\n    return 1\nclass C:\n    def __reduce__(self):\n        return build, (1,)\n",
        "1",
    ),
    Case(
        "new_required",
        "arguments-changed",
        "class C:\n    def __init__(self, a):\n        self.a = a\n",
        "C(1)",
        "class C:\n    def __new__(cls, a):\n        return super().__new__(cls)\n"
        "    def __init__(self, a):\n        self.a = a\n",
        "it.a",
        "TypeError: C.__new__() missing 1 required positional argument: 'a'",
        "class C:\n    def __new__(cls, a=None):\n        return super().__new__(cls)\n"
        "    def __init__(self, a):\n        self.a = a\n",
        "1",
    ),
    Case(
        "newargs",
        "arguments-changed",
        "class C:\n    def __new__(cls, a):\n        return super().__new__(cls)\n"
        "    def __getnewargs__(self):\n        return (1,)\n",
        "C(1)",
        "class C:\n    def __new__(cls):\n        return super().__new__(cls)\n",
        "it",
        "TypeError: C.__new__() takes 1 positional argument but 2 were given",
        "class C:\n    def __new__(cls, a=None):\n        return 1\n",
        "1",
    ),
    Case(
        "frozen_order",
        "arguments-changed",
        DATA + "@dataclass(frozen=True, slots=True)\nclass C:\n    a: int\n    b: int\n",
        "C(1, 2)",
        DATA + "@dataclass(frozen=True, slots=True)\nclass C:\n    new: int\n    a: int\n    b: int\n",
        "(it.new, it.a)",
        "(1, 2)",
        VERSIONED + DATA + "@versioned(2, {1: lambda state: [*state, None]})\n"
        "@dataclass(frozen=True, slots=True)\nclass C:\n    a: int\n    b: int\n    new: int\n",
        "(None, 1)",
    ),
    Case(
        "abstract",
        "base-changed",
        "from abc import ABC\nclass C(ABC):\n    pass\n",
        "C()",
        "from abc import ABC, abstractmethod\nclass C(ABC):\n    @abstractmethod\n    def price(self): ...\n",
        "it.price()",
        "TypeError: Can't instantiate abstract class C",
        "from abc import ABC, abstractmethod\nclass C(ABC):\n    def price(self): return 1\n",
        "1",
    ),
    Case(
        "dict_lost",
        "base-changed",
        "class C(dict):\n    pass\n",
        "C(a=1)",
        "class C:\n    pass\n",
        "it",
        "TypeError: 'C' object does not support item assignment",
        "class C(dict):\n    pass\n",
        "{'a': 1}",
    ),
    Case(
        "list_lost",
        "base-changed",
        "class C(list):\n    pass\n",
        "C([1])",
        "class C:\n    pass\n",
        "it",
        "AttributeError: 'C' object has no attribute 'append'",
        "class C(list):\n    pass\n",
        "[1]",
    ),
    Case(
        "str_lost",
        "base-changed",
        "class C(str):\n    pass\n",
        "C('x')",
        "class C:\n    pass\n",
        "it",
        "TypeError: C() takes no arguments",
        "class C(str):\n    pass\n",
        "'x'",
    ),
    Case(
        "int_gained",
        "base-changed",
        "class C:\n    pass\n",
        "C()",
        "class C(int):\n    pass\n",
        "it",
        "0",
        "class D(int):\n    pass\nclass C:\n    def __repr__(self): return 'C()'\n",
        "C()",
    ),
    Case(
        "tuple_to_data",
        "base-changed",
        "from typing import NamedTuple\nclass C(NamedTuple):\n    a: int\n",
        "C(1)",
        DATA + "@dataclass\nclass C:\n    a: int\n",
        "it.a",
        "AttributeError: 'C' object has no attribute 'a'",
        DATA + "@dataclass\nclass C:\n    a: int\n"
        "    def __new__(cls, *args):\n        self = super().__new__(cls)\n"
        "        self.__dict__.update(zip(['a'], args))\n        return self\n",
        "1",
    ),
    Case(
        "data_to_tuple",
        "base-changed",
        DATA + "@dataclass\nclass C:\n    a: int\n",
        "C(1)",
        "from typing import NamedTuple\nclass C(NamedTuple):\n    a: int\n",
        "it.a",
        "TypeError: C.__new__() missing 1 required positional argument: 'a'",
        DATA + "@dataclass\nclass C:\n    a: int\n",
        "1",
    ),
    Case(
        "enum_to_class",
        "base-changed",
        "from enum import Enum\nclass C(Enum):\n    A = 1\n",
        "C.A",
        "class C:\n    A = 1\n",
        "it",
        "TypeError: C() takes no arguments",
        "from enum import Enum\nclass C(Enum):\n    A = 1\n",
        "<C.A: 1>",
    ),
    Case(
        "class_to_enum",
        "base-changed",
        "class C:\n    A = 1\n",
        "C()",
        "from enum import Enum\nclass C(Enum):\n    A = 1\n",
        "it",
        "TypeError",
        "class C:\n    A = 1\n    def __repr__(self): return 'C()'\n",
        "C()",
    ),
    Case(
        "frozen_thawed",
        "base-changed",
        DATA + "@dataclass(frozen=True, slots=True)\nclass C:\n    a: int\n",
        "C(1)",
        DATA + "@dataclass\nclass C:\n    a: int\n",
        "it.a",
        "Error: ",
        DATA + "@dataclass\nclass C:\n    a: int\n"
        "    def __setstate__(self, state):\n        self.a = state[0] if isinstance(state, list) else state['a']\n",
        "1",
    ),
    Case(
        "slots_frozen",
        "base-changed",
        DATA + "@dataclass(slots=True)\nclass C:\n    a: int\n    b: int\n",
        "C(1, 2)",
        DATA + "@dataclass(frozen=True, slots=True)\nclass C:\n    a: int\n    b: int\n",
        "(it.a, it.b)",
        "(None, {'a': 1, 'b': 2})",
        VERSIONED + DATA + "@versioned(2, {1: lambda state: [state[1].get(name) for name in ('a', 'b')]})\n"
        "@dataclass(frozen=True, slots=True)\nclass C:\n    a: int\n    b: int\n",
        "(1, 2)",
    ),
    Case(
        "slot",
        "slot-lost",
        "class C:\n    __slots__ = ('a', 'b')\n    def __init__(self):\n        self.a = self.b = 1\n",
        "C()",
        "class C:\n    __slots__ = ('a',)\n    def __init__(self):\n        self.a = 1\n",
        "it.a",
        "AttributeError: 'C' object has no attribute 'b'",
        "class C:\n    __slots__ = ('a', 'b')\n    def __init__(self):\n        self.a = 1\n",
        "1",
    ),
    Case(
        "lowered",
        "version-lowered",
        VERSIONED + "@versioned(3, {1: dict, 2: dict})\nclass C:\n    def __init__(self):\n        self.a = 1\n",
        "C()",
        VERSIONED + "@versioned(2, {1: dict})\nclass C:\n    def __init__(self):\n        self.a = 1\n",
        "it.a",
        "the pickled state has version 3, this program's class has 2",
        VERSIONED + "@versioned(3, {1: dict, 2: dict})\nclass C:\n    def __init__(self):\n        self.a = 1\n",
        "1",
    ),
    Case(
        "unversioned",
        "version-lowered",
        VERSIONED + "@versioned(2, {1: dict})\nclass C:\n    def __init__(self):\n        self.a = 1\n",
        "C()",
        "class C:\n    def __init__(self):\n        self.a = 1\n",
        "it.a",
        "TypeError: 'C' object does not support item assignment",
        VERSIONED + "@versioned(2, {1: dict})\nclass C:\n    def __init__(self):\n        self.a = 1\n",
        "1",
    ),
    Case(
        "not_raised",
        "missing-migration",
        VERSIONED + "@versioned(2, {1: dict})\nclass C:\n    def __init__(self):\n        self.a = 1\n",
        "C()",
        VERSIONED + "@versioned(2, {1: dict})\nclass C:\n    def __init__(self):\n        self.a = self.b = 1\n",
        "it.b",
        "AttributeError: 'C' object has no attribute 'b'",
        VERSIONED + "@versioned(2, {1: dict})\nclass C:\n    b = None\n"
        "    def __init__(self):\n        self.a = self.b = 1\n",
        "None",
    ),
    Case(
        "step_gone",
        "missing-migration",
        VERSIONED + "@versioned(2, {1: dict})\nclass C:\n    def __init__(self):\n        self.a = 1\n",
        "C()",
        VERSIONED + "@versioned(4, {3: dict}, unversioned=3)\nclass C:\n    def __init__(self):\n        self.a = 1\n",
        "it.a",
        "the pickled state has version 2, this program's class has 4",
        VERSIONED + "@versioned(4, {2: lambda state: {**state}, 3: dict}, unversioned=3)\n"
        "class C:\n    def __init__(self):\n        self.a = 1\n",
        "1",
    ),
)
