"""What is known of a class or function with a code: a value that two revisions can be compared by."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from extreg.shapes.fields import FieldFact, TupleField
from extreg.shapes.members import Members
from extreg.shapes.signatures import Parameters

Names = frozenset[str]

# How an instance writes its state, when nothing else says how it is pickled: a dict (of which a part may be slots);
# slots alone; the dict of names that attrs writes for classes with slots; the list of values that dataclasses write for
# frozen ones with slots; what a __getstate__ returns.
Form = Literal["dict", "slots", "attrs", "list", "custom"]


class Call(NamedTuple):
    """What a reducer has the loader call.

    ``what`` is "class", or the target of a function whose ``parameters`` are known; ``given`` is how many arguments it
    gives, None where that is not a literal; ``state`` that a state follows.
    """

    what: str
    given: int | None
    state: bool
    parameters: Parameters | None = None


class Reduces(NamedTuple):
    """What a class's own ``__reduce__`` returns; ``known`` that every way through it could be read."""

    calls: tuple[Call, ...]
    known: bool


class Restores(NamedTuple):
    """What a ``__setstate__`` does: the attributes that it ``names``; ``any`` where it may give others too."""

    names: Names
    any: bool


class Version(NamedTuple):
    """What `extreg.reduce.versioned` was told: None for what is no constant.

    ``writes`` is the version that is written, ``names`` the fields that the migrations mention, by the version that
    they start from; None where one cannot be read.  ``back`` says that ``write=`` is given, so that states are brought
    back to what ``writes`` says before they are written.
    """

    number: int | None
    unversioned: int | None
    writes: int | None
    steps: tuple[int, ...] | None
    names: Mapping[int, Names | None]
    back: bool = False

    @property
    def plain(self) -> bool:
        """Whether the form of an undecorated class is written."""
        return self.back and self.writes is not None and self.writes == self.unversioned


class Place(NamedTuple):
    """Where something stands: a module, and a line of its source, counted from 1."""

    module: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the pickles of a class hold, as far as its source tells; of a function, what it takes.

    ``certain`` attributes has every instance that the constructor made, ``possible`` ones may some have, and ``open``
    says that there may be more.  ``values`` are those that the class has itself.  ``read`` are attributes that methods
    read, ``guarded`` those that are asked for with care.
    """

    target: str
    place: Place
    kind: Literal["class", "function"] = "class"
    unknown: str = ""
    parameters: Parameters | None = None
    new: Parameters | None = None
    certain: Names = frozenset()
    possible: Names = frozenset()
    open: bool = False
    values: Names = frozenset()
    values_open: bool = False
    read: Names = frozenset()
    guarded: Names = frozenset()
    getattr: bool = False
    fields: tuple[FieldFact, ...] = ()
    slots: Names = frozenset()
    has_dict: bool = True
    form: Form = "dict"
    sequence: tuple[str, ...] = ()
    restores: Restores | None = None
    generated: Literal["", "attrs", "list"] = ""
    reduces: Reduces | None = None
    arguments: int | None = 0
    layout: str = "object"
    builds: bool = False
    enum: Members | None = None
    tuple_fields: tuple[TupleField, ...] | None = None
    abstract: tuple[str, ...] = ()
    sets_with_care: bool = False
    version: Version | None = None
    made_by: str = ""
    initialises: bool = False
    hooks: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name that errors of Python call the class by."""
        return self.target.partition(":")[2].rpartition(".")[2]

    @property
    def qualname(self) -> str:
        """The qualified name."""
        return self.target.partition(":")[2]


def dumped(node: ast.AST) -> str:
    """Return what two functions have in common when they do the same: their syntax without places and docstrings."""
    body = getattr(node, "body", None)
    if isinstance(body, list) and body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        rest = [ast.dump(statement) for statement in body[1:]]
        return "\n".join([ast.dump(node.args) if isinstance(node, ast.FunctionDef) else "", *rest])
    if isinstance(body, list) and isinstance(node, ast.FunctionDef):
        return "\n".join([ast.dump(node.args), *(ast.dump(statement) for statement in body)])
    return ast.dump(node)
