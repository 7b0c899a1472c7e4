"""From a target to its object, by what stands in a module and in a class, and never by what computes an answer.

A module's ``__getattr__`` or a metaclass's can make up any name; neither is asked.
"""

import sys
from types import FunctionType


def resolve(module: str, qualname: str) -> object:
    """Import `module` and return the object of that name in it.

    A nested name is looked up in the ``__dict__`` of each class and its bases.  Raises ImportError, and AttributeError
    where no such name stands there.
    """
    __import__(module)
    names = sys.modules[module].__dict__
    if "." not in qualname:
        try:
            return names[qualname]
        except KeyError:
            raise _missing(module, qualname) from None
    outer, *inner = qualname.split(".")
    if outer not in names:
        raise _missing(module, qualname)
    found: object = names[outer]
    for name in inner:
        found = _member(found, name, module, qualname)
    return found


def _member(owner: object, name: str, module: str, qualname: str) -> object:
    # type() and not isinstance(), which believes what an object says of its own class.
    if issubclass(type(owner), type):
        for base in type.__dict__["__mro__"].__get__(owner):
            found = type.__dict__["__dict__"].__get__(base).get(name, _NOTHING)
            if found is _NOTHING:
                continue
            if type(found) is staticmethod:
                return found.__func__
            if type(found) is classmethod:
                return found.__func__.__get__(owner)
            if isinstance(found, (type, FunctionType)) or not hasattr(type(found), "__get__"):
                return found
            break
    raise _missing(module, qualname)


_NOTHING = object()


def _missing(module: str, qualname: str) -> AttributeError:
    return AttributeError(f"{qualname!r} is not defined in module {module!r} (its __getattr__ is not asked)")
