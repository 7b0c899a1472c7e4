"""What `import extreg` and a start cost in imports."""

import subprocess
import sys

import pytest

HEAVY = ["tomli", "tomllib", "re", "enum", "typing", "dataclasses", "inspect", "argparse", "pathlib"]


def modules_after(code, **kwargs):
    # `site` imports os in every ordinary interpreter; -S keeps .pth files of this environment out of the count.
    program = f"import os, sys\nbefore = set(sys.modules)\n{code}\nprint(*sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True, **kwargs
    )
    return done.stdout.split()


def import_path():
    """Return a line that lets an interpreter without site-packages find extreg and tomli."""
    import os

    import tomli

    import extreg

    folders = {os.path.dirname(os.path.dirname(module.__file__)) for module in (extreg, tomli)}
    return f"sys.path[:0] = {sorted(folders)!r}"


@pytest.mark.parametrize("heavy", HEAVY)
def test_import_extreg_does_not_import(heavy):
    assert heavy not in modules_after(f"{import_path()}\nimport extreg")


def test_import_extreg_imports_copyreg_and_the_start_up_modules_alone():
    found = modules_after(f"{import_path()}\nimport extreg")
    assert [name for name in found if not name.startswith("extreg")] == ["copyreg"]
    assert [name for name in found if name != "copyreg"] == ["extreg", "extreg.ledger", "extreg.startup"]


def test_import_extreg_changes_nothing_in_the_process():
    code = (
        "import copyreg, os; state = lambda: (dict(copyreg._extension_registry), dict(copyreg.dispatch_table),"
        " list(sys.meta_path), list(sys.path_hooks), dict(os.environ)); was = state()\n"
        f"{import_path()}\nimport extreg\nassert state() == was"
    )
    modules_after(code)


def test_a_start_without_a_cache_imports_neither_dataclasses_nor_typing(tmp_path):
    (tmp_path / "registry.toml").write_text('format = 1\n[codes]\n300 = "a:B"\n')
    found = modules_after(f"{import_path()}\nimport extreg; extreg.install({str(tmp_path)!r} + '/registry.toml')")
    assert not {"dataclasses", "typing", "inspect", "argparse", "pathlib"} & set(found)
