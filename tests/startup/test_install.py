"""install: what goes into copyreg, what comes out again, and whose it was."""

import copyreg
import os
import pickle
import subprocess
import sys
from collections import OrderedDict
from decimal import Decimal
from fractions import Fraction

import pytest

import extreg

FILE = """
[codes]
240 = "collections:OrderedDict"
500 = "decimal:Decimal"
[load-only]
501 = "fractions:Fraction"
[retired]
502 = "old:Thing"
"""
LIVE = {("collections", "OrderedDict"): 240, ("decimal", "Decimal"): 500}
INVERTED = {
    240: ("collections", "OrderedDict"),
    500: ("decimal", "Decimal"),
    501: ("fractions", "Fraction"),
    502: ("extreg.retired", "502 was old:Thing and is retired: see `extreg show 502`"),
}


def tables():
    return copyreg._extension_registry, copyreg._inverted_registry


def test_live_codes_are_dumped_and_loaded_and_load_only_codes_are_loaded(write):
    extreg.install(write(FILE))
    assert b"\x82\xf0" in pickle.dumps(OrderedDict(), 4)
    assert b"\x83\xf4\x01" in pickle._dumps(Decimal(1), 4)
    by_name = pickle.dumps(Fraction(1, 2), 4)
    assert b"fractions" in by_name
    coded = b"\x80\x04\x83\xf5\x01."
    assert pickle.loads(coded) is Fraction
    assert pickle._loads(coded) is Fraction
    with pytest.raises(extreg.RetiredCodeError, match="extension code 502 is retired"):
        pickle.loads(b"\x80\x04\x83\xf6\x01.")


def test_installing_again_is_once_and_wants_as_many_uninstalls(write):
    path = write(FILE)
    first = extreg.install(path)
    assert extreg.install(path) is first
    assert tables() == (LIVE, INVERTED)
    first.uninstall()
    assert tables() == (LIVE, INVERTED)
    assert first.installed
    first.uninstall()
    assert tables() == ({}, {})
    assert not first.installed
    first.uninstall()  # once too often does nothing


def test_no_memory_grows_when_a_program_installs_on_every_request(write):
    path = write(FILE)
    for _ in range(50):
        extreg.install(path)
    from extreg.ledger import INSTALLED

    assert len(INSTALLED) == 1


def test_a_with_block_undoes_itself(write):
    with extreg.install(write(FILE)) as installation:
        assert tables() == (LIVE, INVERTED)
        assert repr(installation).endswith("registry.toml: 2 live, 1 load-only>")
    assert tables() == ({}, {})
    assert "uninstalled" in repr(installation)


def test_no_target_is_imported(write):
    path = write('[codes]\n300 = "nonexistent_module_of_ours:Thing"\n301 = "this:d"')
    sys.modules.pop("this", None)
    extreg.install(path)
    assert "this" not in sys.modules


def test_two_sources_add_up_and_each_leaves_what_the_other_has(write):
    one = extreg.install(write(FILE))
    two = extreg.install(write('[codes]\n240 = "collections:OrderedDict"\n600 = "x:Y"', "two.toml"))
    one.uninstall()
    assert tables() == (
        {("collections", "OrderedDict"): 240, ("x", "Y"): 600},
        {240: ("collections", "OrderedDict"), 600: ("x", "Y")},
    )
    two.uninstall()
    assert tables() == ({}, {})


def test_a_code_that_one_source_has_live_and_another_load_only_is_live_until_the_first_goes(write):
    load_only = extreg.install(write('[load-only]\n500 = "decimal:Decimal"'))
    live = extreg.install(write('[codes]\n500 = "decimal:Decimal"', "b.toml"))
    assert tables() == ({("decimal", "Decimal"): 500}, {500: ("decimal", "Decimal")})
    live.uninstall()
    assert tables() == ({}, {500: ("decimal", "Decimal")})
    load_only.uninstall()
    assert tables() == ({}, {})


def test_rows_that_code_outside_extreg_registered_before_stay_when_ours_go(write):
    copyreg.add_extension("decimal", "Decimal", 500)
    copyreg._inverted_registry[501] = ("fractions", "Fraction")
    extreg.install(write(FILE)).uninstall()
    assert tables() == (
        {("decimal", "Decimal"): 500},
        {500: ("decimal", "Decimal"), 501: ("fractions", "Fraction")},
    )


def test_a_live_row_of_ours_over_a_load_only_row_of_others_leaves_theirs(write):
    copyreg._inverted_registry[500] = ("decimal", "Decimal")
    extreg.install(write(FILE)).uninstall()
    assert tables() == ({}, {500: ("decimal", "Decimal")})


def test_rows_that_somebody_removed_or_took_meanwhile_are_left_to_them(write):
    installation = extreg.install(write(FILE))
    copyreg.remove_extension("decimal", "Decimal", 500)
    copyreg.add_extension("some", "Body", 500)
    installation.uninstall()
    assert tables() == ({("some", "Body"): 500}, {500: ("some", "Body")})


def test_every_conflict_is_named_with_both_holders_and_a_cure(write):
    path = write(FILE)
    copyreg.add_extension("x", "Squatter", 240)
    copyreg.add_extension("decimal", "Decimal", 777)
    copyreg.add_extension("x", "Zombie", 502)
    extreg.install(write('[codes]\n501 = "q:R"', "other.toml"))
    before = [dict(table) for table in tables()]
    with pytest.raises(extreg.ConflictError) as caught:
        extreg.install(path)
    error = caught.value
    assert {(found.code, found.target, found.held) for found in error.conflicts} == {
        (240, "collections:OrderedDict", "240 = x:Squatter"),
        (500, "decimal:Decimal", "777 = decimal:Decimal"),
        (501, "fractions:Fraction", "501 = q:R"),
        (502, "old:Thing", "502 = x:Zombie"),
    }
    places = {found.code: (found.wanted_by, found.held_by) for found in error.conflicts}
    assert places[240] == (f"{path}:4", "code outside extreg, by copyreg.add_extension")
    assert places[501] == (f"{path}:7", f"{path.parent / 'other.toml'}:3")
    assert places[502][0] == f"{path}:9, retired"
    assert all(found.cure for found in error.conflicts)
    assert all(str(code) in str(error) for code in (240, 500, 501, 502))
    assert isinstance(error, ValueError)
    assert [dict(table) for table in tables()] == before


def test_errors_survive_a_pickle_round_trip(write):
    copyreg.add_extension("x", "Squatter", 240)
    with pytest.raises(extreg.ConflictError) as caught:
        extreg.install(write(FILE))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), again.conflicts, str(again)) == (
        extreg.ConflictError,
        caught.value.conflicts,
        str(caught.value),
    )
    with pytest.raises(extreg.RegistryError) as bad:
        extreg.install(write("[codes]\n0240 = 3"))
    again = pickle.loads(pickle.dumps(bad.value))
    assert (again.problems, str(again)) == (bad.value.problems, str(bad.value))


def test_replace_takes_the_place_and_gives_it_back(write):
    copyreg.add_extension("x", "Squatter", 240)
    copyreg.add_extension("decimal", "Decimal", 777)
    before = [dict(table) for table in tables()]
    with extreg.install(write(FILE), on_conflict="replace"):
        assert tables() == (LIVE, INVERTED)
    assert [dict(table) for table in tables()] == before


def test_keep_leaves_the_other_owner_in_place(write):
    copyreg.add_extension("x", "Squatter", 240)
    with extreg.install(write(FILE), on_conflict="keep"):
        assert tables() == (
            {("x", "Squatter"): 240, ("decimal", "Decimal"): 500},
            {**INVERTED, 240: ("x", "Squatter")},
        )
    assert tables() == ({("x", "Squatter"): 240}, {240: ("x", "Squatter")})


def test_what_replace_took_from_another_registry_comes_back(write):
    extreg.install(write('[codes]\n240 = "a:B"'))
    taker = extreg.install(write('[codes]\n240 = "c:D"', "taker.toml"), on_conflict="replace")
    assert tables() == ({("c", "D"): 240}, {240: ("c", "D")})
    taker.uninstall()
    assert tables() == ({("a", "B"): 240}, {240: ("a", "B")})


def test_the_operator_overrides_the_policy_of_the_code(write, monkeypatch):
    copyreg.add_extension("x", "Squatter", 240)
    monkeypatch.setenv("EXTREG_ON_CONFLICT", "replace")
    extreg.install(write(FILE))
    assert copyreg._inverted_registry[240] == ("collections", "OrderedDict")
    monkeypatch.setenv("EXTREG_ON_CONFLICT", "overwrite")
    with pytest.raises(extreg.ExtregError, match=r"\$EXTREG_ON_CONFLICT is 'overwrite', expected one of 'error'"):
        extreg.install(write(FILE))
    monkeypatch.delenv("EXTREG_ON_CONFLICT")
    with pytest.raises(extreg.ExtregError, match="on_conflict is 'ignore'"):
        extreg.install(write(FILE), on_conflict="ignore")


def test_a_take_over_evicts_what_the_cache_held_for_the_code(write):
    copyreg.add_extension("fractions", "Fraction", 500)
    assert pickle.loads(b"\x80\x04\x83\xf4\x01.") is Fraction
    with extreg.install(write(FILE), on_conflict="replace"):
        assert pickle.loads(b"\x80\x04\x83\xf4\x01.") is Decimal
    assert pickle.loads(b"\x80\x04\x83\xf4\x01.") is Fraction


def test_a_malformed_file_installs_nothing_and_names_every_fault(write):
    path = write('[codes]\n240 = "a:B"\n240 = "c:D"\n241 = 7')
    with pytest.raises(extreg.RegistryError) as caught:
        extreg.install(path)
    assert [(problem.line, problem.path) for problem in caught.value.problems] == [(4, str(path)), (5, str(path))]
    assert "code 240 is assigned twice: line 3 to a:B, line 4 to c:D" in str(caught.value)
    assert tables() == ({}, {})


def test_a_registry_value_can_be_installed(write):
    registry = extreg.Registry.load(write(FILE))
    installation = extreg.install(registry)
    assert tables() == (LIVE, INVERTED)
    assert installation.registry == registry
    assert installation.fingerprint == registry.fingerprint


def test_the_installation_shows_the_registry_as_it_was_read(write):
    path = write(FILE + '[moved]\n240 = ["a:B"]\n[ranges.mine]\nfirst = 70000\nlast = 70009\nmodules = ["a"]\n')
    registry = extreg.Registry.load(path)
    installation = extreg.install(path)
    path.unlink()
    assert installation.registry == registry


# Included packages


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A folder on sys.path, and a function that writes a package with a registry into it."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))

    def package(name, text):
        place = folder.joinpath(*name.split("."))
        place.mkdir(parents=True)
        (place / "__init__.py").write_text("raise RuntimeError('imported')")
        (place / "registry.toml").write_text(f"format = 1\n{text}")
        return place / "registry.toml"

    return package


def test_included_packages_are_installed_without_being_imported(write, packages):
    packages("paylib", 'include = ["deep.inner"]\n[codes]\n40000 = "paylib:Card"')
    packages("deep.inner", 'include = ["paylib"]\n[codes]\n50000 = "deep.inner:Thing"')
    installation = extreg.install(write('include = ["paylib"]\n[codes]\n300 = "a:B"'))
    assert copyreg._inverted_registry == {
        300: ("a", "B"),
        40000: ("paylib", "Card"),
        50000: ("deep.inner", "Thing"),
    }
    assert "from 3 files" in repr(installation)
    assert len(installation.fingerprint) == 16
    assert installation.fingerprint != installation.registry.fingerprint
    installation.uninstall()
    assert tables() == ({}, {})


def test_a_package_inside_namespace_packages_is_found(packages, tmp_path):
    path = packages("outer.inner.leaf", '[codes]\n300 = "outer.inner.leaf:Thing"')
    for folder in (path.parent.parent, path.parent.parent.parent):
        (folder / "__init__.py").unlink(missing_ok=True)
    extreg.install("outer.inner.leaf")
    assert copyreg._inverted_registry == {300: ("outer.inner.leaf", "Thing")}
    assert "outer" not in sys.modules


def test_a_collision_between_included_files_names_both_lines(write, packages):
    theirs = packages("paylib", '[codes]\n300 = "paylib:Card"')
    ours = write('include = ["paylib"]\n[codes]\n300 = "a:B"')
    with pytest.raises(extreg.ConflictError) as caught:
        extreg.install(ours)
    (found,) = caught.value.conflicts
    assert {found.wanted_by, found.held_by} == {f"{ours}:4", f"{theirs}:3"}
    assert tables() == ({}, {})


def test_a_code_that_one_file_retired_may_not_mean_something_else_in_another(write, packages):
    packages("paylib", '[retired]\n300 = "paylib:Card"')
    with pytest.raises(extreg.ConflictError):
        extreg.install(write('include = ["paylib"]\n[codes]\n300 = "a:B"'))
    assert tables() == ({}, {})


def test_a_package_is_installed_by_name_without_being_imported(packages):
    packages("solo", '[codes]\n300 = "solo:Thing"')
    extreg.install("solo")
    assert copyreg._inverted_registry == {300: ("solo", "Thing")}
    assert "solo" not in sys.modules


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("no_such_package_of_ours", "there is no package 'no_such_package_of_ours'"),
        ("email", "package 'email' has no registry.toml"),
        ("this", "looked in no folder: it is a single module"),
        ("./nowhere/registry.toml", "cannot read .*nowhere"),
    ],
)
def test_a_source_that_is_not_there_says_what_was_looked_for(source, message):
    with pytest.raises(extreg.ExtregError, match=message):
        extreg.install(source)


def test_a_missing_included_package_names_the_file_that_wants_it(write):
    path = write('include = ["no_such_package_of_ours"]')
    with pytest.raises(extreg.ExtregError, match=f"{path}: include: there is no package"):
        extreg.install(path)


# Discovery, in processes of its own because it looks at the caller's file and the working directory


def run(code, cwd, **environment):
    script = cwd / "program.py"
    script.write_text(code)
    environment = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, str(script)], cwd="/", env=environment, capture_output=True, text=True, check=False
    )


PROGRAM = "import extreg; print(extreg.install())"


def test_the_nearest_registry_upward_from_the_calling_file_is_found(tmp_path):
    (tmp_path / "registry.toml").write_text("format = 1")
    nested = tmp_path / "a" / "b"
    nested.mkdir(parents=True)
    assert str(tmp_path / "registry.toml") in run(PROGRAM, nested).stdout


def test_the_environment_names_the_registry_first(tmp_path):
    (tmp_path / "registry.toml").write_text("format = 1")
    other = tmp_path / "other.toml"
    other.write_text('format = 1\n[codes]\n300 = "a:B"')
    assert f"{other}: 1 live" in run(PROGRAM, tmp_path, EXTREG_REGISTRY=str(other)).stdout


def test_without_a_file_beside_the_caller_the_working_directory_is_searched(tmp_path):
    (tmp_path / "registry.toml").write_text("format = 1")
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert str(tmp_path / "registry.toml") in done.stdout


def test_no_registry_at_all_says_where_was_searched_and_what_to_type(tmp_path, nothing_above):
    done = run(PROGRAM, tmp_path)
    assert f"no registry.toml found upward from {tmp_path} or /" in done.stderr
    assert "extreg init" in done.stderr


def test_a_spawned_process_has_the_codes_when_install_stands_at_the_top_of_the_script(tmp_path):
    (tmp_path / "registry.toml").write_text('format = 1\n[codes]\n300 = "decimal:Decimal"')
    code = """
import multiprocessing, decimal
import extreg
extreg.install()
def double(number):
    return number * 2
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(double, [decimal.Decimal(21)]))
"""
    assert run(code, tmp_path).stdout == "[Decimal('42')]\n"


@pytest.mark.slow
def test_a_child_forked_while_another_thread_is_inside_install_can_install(tmp_path):
    rows = "\n".join(f'{code} = "m:C{code}"' for code in range(1000, 9000))
    (tmp_path / "registry.toml").write_text(f"format = 1\n[codes]\n{rows}\n[load-only]\n999 = 'm:L'")
    code = """
import copyreg, os, sys, threading, warnings
import extreg
warnings.simplefilter("ignore", DeprecationWarning)  # fork in a process with threads is the point here
sys.setswitchinterval(1e-6)
registry = extreg.Registry.load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "registry.toml"))
stop = False
def loop():
    while not stop:
        extreg.install(registry).uninstall()
extreg.install(registry).uninstall()
thread = threading.Thread(target=loop, daemon=True)
thread.start()
for _ in range(60):
    child = os.fork()
    if child == 0:
        installation = extreg.install(registry)
        ok = len(copyreg._extension_registry) == 8000 and len(copyreg._inverted_registry) == 8001
        installation.uninstall()
        extreg.uninstall()
        ok = ok and not copyreg._extension_registry and not copyreg._inverted_registry
        os._exit(0 if ok else 3)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
stop = True
thread.join()
print("all children installed")
"""
    done = run(code, tmp_path)
    assert done.stdout == "all children installed\n", done.stderr
