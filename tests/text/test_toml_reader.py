"""One module chooses the TOML reader, and a registry is read wherever Python runs."""

import ast
import sys
from pathlib import Path
from subprocess import run

import pytest
import tomli

import extreg
from extreg.registry.document import Document
from extreg.registry.toml import page, statements

PACKAGE = Path(extreg.__file__).parent
MALFORMED = sorted((Path(__file__).parent.parent / "cases" / "malformed").glob("*.toml"))
FILE = 'format = 1\n[codes]\n300 = "decimal:Decimal"\n'

IN_SUBINTERPRETER = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import datetime, hashlib  # CPython 3.12.1 crashes when a subinterpreter is the first to import them
{before}
one = interpreters.create()
code = f'''
import sys
sys.path[:] = {{sys.path!r}}
import copyreg, extreg
extreg.install({path!r})
extreg.Registry.load({path!r})
print(copyreg._inverted_registry, flush=True)
'''
failed = interpreters.exec(one, code) if hasattr(interpreters, "exec") else interpreters.run_string(one, code)
assert failed is None, failed.errdisplay
interpreters.destroy(one)
{after}
import extreg
assert extreg.Registry.load({path!r}).codes == {{300: "decimal:Decimal"}}
"""

# What importing tomli raises where its compiled wheel does not load, put in its place.
REFUSED = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tomli":
            raise {error}
sys.meta_path.insert(0, Refuse())
import copyreg, extreg
extreg.install({path!r})
print(copyreg._inverted_registry)
try:
    extreg.Registry.parse("format = 1\\n[codes]\\n1_000 = = 3")
except extreg.RegistryError as error:
    print(error.problems[0].line)
"""

needs_subinterpreters = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="this Python has no subinterpreters"
)
needs_tomllib = pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with 3.11")


@pytest.fixture
def path(tmp_path):
    (tmp_path / "registry.toml").write_text(FILE)
    return str(tmp_path / "registry.toml")


def python(program):
    return run([sys.executable, "-B", "-c", program], capture_output=True, text=True, check=False)


@needs_subinterpreters
@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("import tomli", ""), ("", "import tomli; tomli.loads('a = 1')")]
)
def test_a_subinterpreter_installs_without_a_cache_and_harms_no_other(path, before, after):
    done = python(IN_SUBINTERPRETER.format(path=path, before=before, after=after))
    assert (done.returncode, done.stdout) == (0, "{300: ('decimal', 'Decimal')}\n"), done.stderr


@needs_tomllib
@pytest.mark.parametrize("error", ["ImportError('frozen')", "TypeError('mypyc')", "ValueError('PyCapsule')"])
def test_where_tomli_does_not_load_the_standard_library_reads(path, error):
    done = python(REFUSED.format(path=path, error=error))
    assert done.stdout.splitlines() == ["{300: ('decimal', 'Decimal')}", "3"], done.stderr


@needs_tomllib
@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case.stem)
def test_both_readers_find_the_same_faults_in_the_same_lines(case, monkeypatch):
    import tomllib

    if sys.implementation.name != "cpython" and case.stem in ("deep-brackets", "huge-integer"):
        pytest.skip("this Python has limits of its own")
    text = case.read_bytes().decode("utf-8", "replace")
    found = []
    for reader in (tomli, tomllib):
        for module in (page, statements):
            monkeypatch.setattr(module, "loads", reader.loads)
            monkeypatch.setattr(module, "TOMLDecodeError", reader.TOMLDecodeError)
        problems = Document.read(text).problems
        found.append([(problem.where, problem.line, problem.rule, problem.hint) for problem in problems])
    assert found[0] == found[1]


def test_there_are_malformed_files():
    assert len(MALFORMED) > 70


def test_no_other_module_imports_a_reader():
    found = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            if {"tomli", "tomllib"} & {str(name).partition(".")[0] for name in names}:
                found.add(file.relative_to(PACKAGE).as_posix())
    assert found == {"registry/toml/toml_reader.py"}
