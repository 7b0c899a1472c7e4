"""[loads]: what a pickle has become, the same under every Python."""

import enum
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import extreg
from extreg.jar.certain import lacking
from extreg.jar.drawing import capped
from extreg.jar.objects import ObjectLooks, tree_of_object

from ..packs.kept import archives_of, packs_for, survivors

HERE = Path(__file__).parent
GOLDEN = HERE / "standard_library.json"


def tree(value: object, registry: extreg.Registry | None = None) -> "list[str]":
    lines, _, _ = tree_of_object(value, ObjectLooks(registry or extreg.Registry()))
    return capped(lines)


class Plain:
    """Keeps what it is given."""

    def __init__(self, **attributes: object) -> None:
        self.__dict__.update(attributes)


class Guarded(Plain):
    """Answers for everything."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"{name} was asked for")


class Slotted:
    """Has slots, one of them private."""

    __slots__ = ("__secret", "a", "b")

    def __init__(self) -> None:
        self.a, self.__secret = 1, 2


class Colour(enum.Enum):
    """Colours."""

    RED = "r"


class Rights(enum.Flag):
    """Rights."""

    READ = 1
    WRITE = 2


class Size(int):
    """A size."""


def test_attributes_are_sorted_and_read_where_they_lie() -> None:
    assert tree(Guarded(b=1, a=[])) == [f"{__name__}:Guarded", "  .a: list (0)", "  .b: 1"]
    assert tree(Slotted()) == [f"{__name__}:Slotted", "  ._Slotted__secret: 2", "  .a: 1"]


def test_members_of_enums_have_name_and_value() -> None:
    found = tree([Colour.RED, Rights.READ, Rights.READ | Rights.WRITE])
    assert found[1:] == [
        f'  [0]: {__name__}:Colour RED = "r"',
        f"  [1]: {__name__}:Rights 1",
        f"  [2]: {__name__}:Rights 3",
    ]


def test_subclasses_of_builtins_show_what_they_hold_and_have() -> None:
    size = Size(5)
    size.unit = "m"  # type: ignore[attr-defined]
    assert tree(size) == [f"{__name__}:Size 5", '  .unit: "m"']
    assert tree({2, 1}) == ["set (2)", "  {}: 1", "  {}: 2"]
    error = OSError(2, "gone", "a.txt")
    assert tree(error)[1:] == ["  (0): 2", '  (1): "gone"', '  .filename: "a.txt"']


def test_a_class_is_called_as_the_registry_calls_it_today() -> None:
    here = f"{__name__}:Plain"
    registry = extreg.Registry(codes={300: "shop:Plain"}, moved={300: (here,)})
    assert tree(Plain(), registry) == ["shop:Plain"]


def test_no_address_is_ever_shown() -> None:
    shown = "\n".join(tree([object(), Plain(f=len, m=Plain().__init__, c=Plain, l=tree)]))
    assert "0x" not in shown
    assert ".c: global" in shown


@pytest.mark.parametrize("path", archives_of("stdlib"), ids=lambda path: path.name.removesuffix(".tar.gz"))
def test_the_standard_library_is_the_same_to_every_python(path: Path) -> None:
    """Whoever wrote a pickle, under whatever protocol, and whoever reads it: the record was written on 3.10."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    registry = packs_for("stdlib")
    seen = 0
    for kept in survivors(path):
        try:
            made = extreg.loads(kept.data, registry)
        except extreg.ForbiddenGlobalError:
            continue
        assert tree(made, registry) == golden[kept.of], kept
        seen += 1
    assert seen > 200


def why(value: Any) -> "dict[str, tuple[str, bool]]":
    return {lack.name: (lack.why, lack.sure) for lack in lacking(value)}


def bare(cls: type) -> Any:
    return cls.__new__(cls)


@dataclass
class Data:
    """A dataclass."""

    must: int
    made: list[int] = field(default_factory=list)
    has: int = 3
    later: int = field(init=False)


@dataclass(frozen=True)
class Frozen:
    """A frozen one."""

    must: int


class Assigning:
    """Assigns under conditions and without."""

    has = 1

    def __init__(self, flag: bool) -> None:
        """Say so."""
        self.a, (self.b, self.c) = 1, (2, 3)
        self.has = 2
        with open("x") as self.ignored:
            self.d = 4

        def inner() -> int:
            return 1

        if flag:
            self.e = 5
        for self.f in ():
            pass
        self.gone = 1
        del self.gone
        self.g: int = inner()
        if flag:
            return
        self.h = 8


class Below(Assigning):
    """Calls super."""

    def __init__(self) -> None:
        super().__init__(True)
        self.__own = 1


class Apart(Assigning):
    """Does not call super."""

    def __init__(self) -> None:
        self.alone = 1


class Annotated:
    """Only says what it has."""

    x: int
    y: "ClassVar[int]"  # noqa: F821 - a string is not evaluated
    z: int = 3


class Answering(Assigning):
    """Answers for what is not there."""

    def __getattr__(self, name: str) -> int:
        return 1


def test_what_is_certain_of_a_dataclass() -> None:
    assert why(bare(Data)) == {
        "must": ("a field of the dataclass", True),
        "made": ("a field of the dataclass", True),
        "later": ("annotated in the class", False),
    }
    assert list(why(bare(Frozen))) == ["must"]
    assert why(Data(1)) == {"later": ("annotated in the class", False)}


def test_what_is_certain_of_an_attrs_class() -> None:
    attrs = pytest.importorskip("attrs")
    fields = {"must": attrs.field(), "has": attrs.field(default=1), "late": attrs.field(init=False)}
    found = attrs.make_class("Made", fields, slots=True)
    assert {name: sure for name, (_, sure) in why(bare(found)).items()} == {"must": True, "has": True, "late": False}
    plain = attrs.make_class("Plain", ["must"], slots=False)
    assert why(bare(plain)) == {"must": ("a field of the attrs class", True)}
    assert why(plain(1)) == {}


def test_what_is_certain_of_an_init() -> None:
    assert list(why(bare(Assigning))) == ["a", "b", "c", "d", "g"]
    assert list(why(bare(Below))) == ["_Below__own", "a", "b", "c", "d", "g"]
    assert list(why(bare(Apart))) == ["alone"]
    assert why(bare(Apart))["alone"] == ("assigned in Apart.__init__", True)


def test_what_is_not_certain() -> None:
    assert why(bare(Answering)) == {}
    assert why(bare(Annotated)) == {"x": ("annotated in the class", False)}
    assert why(bare(Slotted)) == {
        "a": ("assigned in Slotted.__init__", True),
        "_Slotted__secret": ("assigned in Slotted.__init__", True),
        "b": ("a slot", False),
    }
    for value in (1, "a", [], Path(), Colour.RED, ValueError(), Plain):
        assert why(value) == {}


def test_a_class_without_source_is_not_certain() -> None:
    made: dict[str, Any] = {}
    exec("class Made:\n    def __init__(self):\n        self.a = 1\n", made)
    assert why(bare(made["Made"])) == {}
