"""Registries in zip archives: zipapps, zips on the import path, packages and includes in them."""

import copyreg
import os
import subprocess
import sys
import zipapp
import zipfile

import pytest

import extreg

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("nothing_above")]

SHOP = 'format = 1\n[codes]\n300 = "shop.models:Order"\n'
PAY = 'format = 1\n[codes]\n40000 = "paylib:Card"\n'
SHOW = "import copyreg; print(sorted(copyreg._inverted_registry))"


def zipped(archive, files, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(archive, "w", compression) as opened:
        for name, text in files.items():
            opened.writestr(name, text)
    return archive


def python(*line, cwd, **environment):
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(
        [sys.executable, *map(str, line)],
        cwd=cwd,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def elsewhere(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere"


def app(tmp_path, main, **more):
    files = {"__main__.py": f"{main}\n{SHOW}\n", "shop/__init__.py": "", **more}
    return zipped(tmp_path / "app.pyz", files)


STARTS = {
    "import extreg; extreg.install('shop')": {},
    "import extreg; extreg.install()": {},
    "import shop.start": {"shop/start.py": "import extreg; extreg.install()"},
    "import shop.deep.er.start": {
        "shop/deep/__init__.py": "",
        "shop/deep/er/__init__.py": "",
        "shop/deep/er/start.py": "import extreg; extreg.install()",
    },
    "import shop.start as start": {
        "shop/start.py": "import extreg, os; extreg.install(os.path.join(os.path.dirname(__file__), 'registry.toml'))"
    },
    "import shop.start as folder": {"shop/start.py": "import extreg, os; extreg.install(os.path.dirname(__file__))"},
    "import shop.start as path": {
        "shop/start.py": "import extreg, pathlib; extreg.install(pathlib.Path(__file__).with_name('registry.toml'))"
    },
}


@pytest.mark.parametrize("main", STARTS)
def test_a_zipapp_installs_what_it_carries(main, tmp_path, elsewhere):
    archive = app(tmp_path, main, **{"shop/registry.toml": SHOP}, **STARTS[main])
    for start in ((archive,), (os.path.relpath(archive, elsewhere),)):
        done = python(*start, cwd=elsewhere)
        assert (done.stdout, done.stderr) == ("[300]\n", "")
    assert sorted(os.listdir(tmp_path)) == ["app.pyz", "elsewhere"]  # no cache beside it


def test_what_zipapp_makes_installs_too(tmp_path, elsewhere):
    package = tmp_path / "source" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "registry.toml").write_text(SHOP)
    (package / "cli.py").write_text(f"def main():\n    import extreg; extreg.install()\n    {SHOW}\n")
    zipapp.create_archive(tmp_path / "source", tmp_path / "app.pyz", main="shop.cli:main", compressed=True)
    assert python(tmp_path / "app.pyz", cwd=elsewhere).stdout == "[300]\n"


def test_a_cache_is_written_where_bytecode_has_a_folder_of_its_own(tmp_path, elsewhere):
    archive = app(tmp_path, "import extreg; extreg.install('shop')", **{"shop/registry.toml": SHOP})
    prefix = str(tmp_path / "prefix")
    for _ in range(2):
        assert python(archive, cwd=elsewhere, PYTHONPYCACHEPREFIX=prefix).stdout == "[300]\n"
    found = [name for _, _, names in os.walk(prefix) for name in names if name.endswith(".extreg")]
    assert found == [f"registry.{sys.implementation.cache_tag}.extreg"]
    app(tmp_path, "import extreg; extreg.install('shop')", **{"shop/registry.toml": SHOP.replace("300", "301")})
    assert python(archive, cwd=elsewhere, PYTHONPYCACHEPREFIX=prefix).stdout == "[301]\n"


def test_the_archive_comes_before_what_is_around_it_and_that_before_its_only_registry(tmp_path, elsewhere):
    main = "import extreg; extreg.install()"
    archive = app(tmp_path, main, **{"shop/registry.toml": SHOP})
    (elsewhere / "registry.toml").write_text(PAY.replace("40000", "40001"))
    assert python(archive, cwd=elsewhere).stdout == "[300]\n"
    (tmp_path / "registry.toml").write_text(PAY)
    assert python(archive, cwd=elsewhere).stdout == "[40000]\n"
    app(tmp_path, main, **{"registry.toml": SHOP})
    assert python(archive, cwd=elsewhere).stdout == "[300]\n"


def test_what_is_around_an_archive_must_not_be_a_strangers(tmp_path, elsewhere):
    archive = app(tmp_path, "import extreg; extreg.install()", **{"shop/registry.toml": SHOP})
    (tmp_path / "registry.toml").write_text(PAY)
    (tmp_path / "registry.toml").chmod(0o666)
    assert f"anybody may write {tmp_path / 'registry.toml'}" in python(archive, cwd=elsewhere).stderr


def test_which_of_several_registries_is_meant_is_not_guessed(tmp_path, elsewhere):
    archive = app(
        tmp_path, "import extreg; extreg.install()", **{"shop/registry.toml": SHOP, "paylib/registry.toml": PAY}
    )
    done = python(archive, cwd=elsewhere)
    assert done.returncode == 1
    assert f"{archive} carries more than one registry.toml: paylib/registry.toml, shop/registry.toml" in done.stderr
    assert "extreg.install(PACKAGE)" in done.stderr


def test_an_archive_without_a_registry_says_where_was_looked(tmp_path, elsewhere):
    done = python(app(tmp_path, "import extreg; extreg.install()"), cwd=elsewhere)
    assert f"no registry.toml in {tmp_path / 'app.pyz'}, nor upward from {tmp_path} or {elsewhere}" in done.stderr
    done = python(app(tmp_path, "import extreg; extreg.install('shop')"), cwd=elsewhere)
    assert f"package 'shop' has no registry.toml (looked in {tmp_path / 'app.pyz' / 'shop'})" in done.stderr


def test_an_installed_archive_looks_in_itself_only(tmp_path, elsewhere):
    site = tmp_path / "site-packages"
    site.mkdir()
    (elsewhere / "registry.toml").write_text(PAY)
    (tmp_path / "registry.toml").write_text(PAY)
    files = {"shop/__init__.py": "", "shop/start.py": f"import extreg; extreg.install(); {SHOW}"}
    egg = zipped(site / "shop.egg", files)
    program = f"import sys; sys.path.insert(0, {str(egg)!r}); import shop.start"
    done = python("-c", program, cwd=elsewhere)
    assert done.stderr.splitlines()[-2].endswith(f"no registry.toml in {egg}")
    zipped(site / "shop.egg", {**files, "shop/registry.toml": SHOP})
    assert python("-c", program, cwd=elsewhere).stdout == "[300]\n"


# In this process, with an archive on the import path


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    def put(files, compression=zipfile.ZIP_DEFLATED):
        archive = zipped(tmp_path / "library.zip", files, compression)
        monkeypatch.syspath_prepend(str(archive))
        return archive

    return put


def installed():
    return copyreg._inverted_registry


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("regular", [True, False], ids=["regular", "namespace"])
def test_packages_within_packages_are_found_and_not_imported(on_path, compression, regular):
    files = {"outer/inner/leaf/registry.toml": SHOP}
    for folder in ("outer", "outer/inner", "outer/inner/leaf"):
        files.update({f"{folder}/__init__.py": "raise RuntimeError('imported')"} if regular else {f"{folder}/": ""})
    archive = on_path(files, compression)
    installation = extreg.install("outer.inner.leaf")
    assert installed() == {300: ("shop.models", "Order")}
    assert "outer" not in sys.modules
    assert str(archive) in repr(installation)


def test_an_included_package_may_be_in_an_archive_and_include_another(on_path, write):
    on_path(
        {
            "paylib/__init__.py": "raise RuntimeError('imported')",
            "paylib/registry.toml": PAY.replace("[codes]", 'include = ["bank"]\n[codes]'),
            "bank/__init__.py": "",
            "bank/registry.toml": 'format = 1\n[codes]\n50000 = "bank:Vault"\n',
        }
    )
    path = write('include = ["paylib"]\n[codes]\n300 = "a:B"')
    installation = extreg.install(path)
    assert sorted(installed()) == [300, 40000, 50000]
    write('include = ["paylib"]\n[codes]\n301 = "a:B"')
    assert installation.reload() == {300, 301}


def test_a_conflict_and_a_fault_name_the_line_in_the_archive(on_path, write):
    archive = on_path(
        {"paylib/__init__.py": "", "paylib/registry.toml": PAY, "bad/registry.toml": "format = 1\nx = 2\n"}
    )
    with pytest.raises(extreg.ConflictError) as caught:
        extreg.install(write('include = ["paylib"]\n[codes]\n40000 = "a:B"'))
    assert str(archive / "paylib" / "registry.toml") + ":3" in str(caught.value)
    with pytest.raises(extreg.RegistryError, match=r"library.zip/bad/registry.toml:2: x: unknown key"):
        extreg.install(archive / "bad" / "registry.toml")


def test_the_library_and_the_commands_read_it_too(on_path, write, monkeypatch):
    archive = on_path({"paylib/__init__.py": "", "paylib/registry.toml": PAY})
    path = archive / "paylib" / "registry.toml"
    assert extreg.Registry.load(path).codes == {40000: "paylib:Card"}
    program = write('include = ["paylib"]\n[codes]\n300 = "decimal:Decimal"')
    environment = {"PYTHONPATH": os.pathsep.join((str(archive), os.environ["PYTHONPATH"]))}
    listed = python("-m", "extreg", "list", "--registry", path, cwd=program.parent)
    assert "paylib:Card" in listed.stdout, listed.stderr
    linted = python("-m", "extreg", "lint", "--no-source", cwd=program.parent, **environment)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_what_is_neither_file_nor_archive_is_an_error_as_ever(tmp_path, write):
    path = write("")
    for wrong in (path / "registry.toml", path / "deep" / "registry.toml", tmp_path / "no" / "registry.toml"):
        with pytest.raises(extreg.ExtregError, match=r"cannot read .*registry.toml: "):
            extreg.install(wrong)
