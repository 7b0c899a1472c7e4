"""The members of an Enum and their values, as far as constants tell."""

import ast
import operator
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from extreg.shapes.following import Known
from extreg.shapes.lineage import Lineages, Member
from extreg.targets.reach import dotted_name

_OPERATIONS = {
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.LShift: operator.lshift,
}
_MOST_BITS = 256  # more is nobody's flag, and a shift by a billion takes all memory


class Value(NamedTuple):
    """The value of a member: a constant, or what stands in the source where it is none."""

    constant: object = None
    text: str = ""

    @property
    def shown(self) -> str:
        """The value as an error of `Enum` shows it."""
        return self.text or repr(self.constant)


class Members(NamedTuple):
    """The members of an Enum in order; ``flag`` is the name of its base where that is `Flag` or `IntFlag`.

    ``missing`` says that ``_missing_`` takes what is no member's value, ``unknown`` that values may be others.
    """

    values: Mapping[str, Value]
    flag: str = ""
    missing: bool = False
    unknown: bool = False


def members(lineage: Sequence[Member], lineages: Lineages) -> Members | None:
    """Return the members of the first class of `lineage` if it is an Enum, else None."""
    stocks = {member.stock for member in lineage}
    if "enum.Enum" not in stocks:
        return None
    flag = "IntFlag" if "enum.IntFlag" in stocks else "Flag" if "enum.Flag" in stocks else ""
    written = [member for member in lineage if not member.stock]
    names = {name for member in written for name in member.body.names}
    values = _Values(flag, "enum.StrEnum" in stocks, automatic="_generate_next_value_" not in names, lineages=lineages)
    member = lineage[0]
    found = values.of(member)
    unknown = bool(names & {"__new__", "__reduce__", "__reduce_ex__", "_value_"}) or bool(
        member.node is not None and any(word.arg == "boundary" for word in member.node.keywords)
    )
    return Members(found, flag, "_missing_" in names, unknown)


class _Values:
    def __init__(self, flag: str, text: bool, *, automatic: bool, lineages: Lineages) -> None:
        self.flag = flag
        self.text = text
        self.automatic = automatic
        self.lineages = lineages
        self.found: dict[str, Value] = {}

    def of(self, member: Member) -> dict[str, Value]:
        if member.module is None:
            return {}
        for statement, sure in member.body.statements:
            if isinstance(statement, ast.Assign):
                names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
                names = [statement.target.id]
            else:
                continue
            for name in names:
                if _is_member(name, statement.value):
                    value = self.value(member, name, statement.value)  # type: ignore[arg-type]
                    self.found[name] = value if sure else Value(text=f"{name} = {value.shown}")
        return self.found

    def value(self, member: Member, name: str, node: ast.expr) -> Value:
        if isinstance(node, ast.Call) and member.module is not None:
            function = self.lineages.world.follow(member.module, dotted_name(node.func), (member.body,))
            if function == Known("enum.auto") and not node.args:
                return self.next(name)
        try:
            return Value(self.evaluated(node))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError, KeyError, OverflowError):
            return Value(text=_text(node))

    def evaluated(self, node: ast.expr) -> object:
        if isinstance(node, ast.Name):
            return self.constant(node.id)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
            left, right = self.evaluated(node.left), self.evaluated(node.right)
            if not isinstance(left, int) or not isinstance(right, int) or not 0 <= right < 1 << _MOST_BITS:
                raise ValueError
            if isinstance(node.op, ast.LShift) and right > _MOST_BITS:
                raise ValueError
            return _OPERATIONS[type(node.op)](left, right)
        return ast.literal_eval(node)

    def constant(self, name: str) -> object:
        found = self.found[name]
        if found.text:
            raise ValueError
        return found.constant

    def next(self, name: str) -> Value:
        """Return what `auto` gives here: https://docs.python.org/3/library/enum.html#enum.auto."""
        if not self.automatic:
            return Value(text="auto()")
        if self.text:
            return Value(name.lower())
        if any(value.text or not isinstance(value.constant, int) for value in self.found.values()):
            return Value(text="auto()")  # versions of Python differ
        numbers = [value.constant for value in self.found.values() if isinstance(value.constant, int)]
        if self.flag:
            return Value(1 << max((number.bit_length() for number in numbers), default=0))
        if numbers and numbers[-1] != max(numbers):
            return Value(text="auto()")  # the last one plus 1 before 3.13, and the highest since
        return Value(numbers[-1] + 1 if numbers else 1)


def _is_member(name: str, value: ast.expr | None) -> bool:
    if name.startswith("_") and (name.endswith("_") or name.startswith("__")):
        return False
    return not isinstance(value, ast.Lambda)


def _text(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 200 else f"{text[:197]}..."
