"""The public surface is what docs/api.md documents, and nothing else."""

import ast
import importlib
import re
import runpy
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"
GENERATOR = runpy.run_path(str(DOCS / "generate_api.py"))
PAGE = (DOCS / "api.md").read_text(encoding="utf-8")


@pytest.mark.once
def test_the_page_is_what_the_docstrings_say():
    assert GENERATOR["page"]() == PAGE, "run: python docs/generate_api.py"


@pytest.mark.parametrize("package", GENERATOR["PACKAGES"])
def test_the_page_documents_what_is_public_and_nothing_else(package):
    documented = re.findall(rf"^### {re.escape(package)}\.(\w+)$", PAGE, flags=re.MULTILINE)
    assert documented == importlib.import_module(package).__all__


@pytest.mark.parametrize("package", GENERATOR["PACKAGES"])
def test_no_other_name_looks_public(package):
    """Modules are not public, whoever has one in hand; nor is the flag that type checkers look for."""
    module = importlib.import_module(package)
    public = {name: getattr(module, name) for name in module.__all__}
    assert list(public) == sorted(public)
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    typing = {alias.asname or alias.name for node in ast.walk(tree) if is_typing(node) for alias in node.names}
    others = {name for name, value in vars(module).items() if not name.startswith("_") and is_thing(value)}
    assert others - public.keys() - typing == {"TYPE_CHECKING"} & vars(module).keys()


def is_thing(value):
    return not isinstance(value, ModuleType)


def is_typing(node):
    """Say whether this imports from the standard library or from what only prints: what a module uses is no offer."""
    return isinstance(node, ast.ImportFrom) and node.module in {"pickle", "typing", "extreg.printable"}


def test_every_type_in_a_signature_is_known():
    known = set(re.findall(r"`(\w+)`", PAGE[: PAGE.index("\n## ")]))
    known |= {name for package in GENERATOR["PACKAGES"] for name in importlib.import_module(package).__all__}
    words = set()
    for block in re.findall(r"```py\n(.*?)```", PAGE, flags=re.DOTALL):
        words |= set(re.findall(r"(?:-> |: |[\[|] ?|, )([A-Z_]\w*)", block))
    plain = {"Any", "Callable", "IO", "Iterable", "Iterator", "Literal", "Mapping", "MappingProxyType", "NamedTuple"}
    plain |= {"BaseException", "None", "Path", "PicklingError", "UnpicklingError", "ValueError", "False", "True"}
    plain |= {"Protocol", "Sequence"}
    assert words - known - plain == set()


def test_a_public_name_without_a_docstring_is_refused():
    with pytest.raises(ValueError, match="bare is public and has no docstring"):
        GENERATOR["described"]("bare()", None, 3, "bare")
