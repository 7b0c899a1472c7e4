"""A start that cannot install goes on, in one line; or stops, where that is wished. Nobody's file but ours is taken."""

import os
import shutil

import pytest

pytestmark = pytest.mark.slow
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files to others"
)
owners = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners and modes are POSIX's")
STRANGER = 54321
STRICT = {"EXTREG_AUTOLOAD_STRICT": "1"}


def goes_on(environment, *said):
    """A program runs without codes, and one line says why; under STRICT it does not run."""
    done = environment.run("-c", "import copyreg; print(len(copyreg._inverted_registry))")
    assert done.stdout == "0\n"
    (line,) = done.stderr.splitlines()
    assert line.startswith("extreg: autoload: ")
    assert line.endswith("EXTREG_AUTOLOAD=0 switches this off; extreg autoload status says more")
    for part in said:
        assert part in line
    stopped = environment.run("-c", "print('ran')", env=STRICT, check=False)
    assert (stopped.returncode, stopped.stdout) == (78, "")
    assert "stopped, for EXTREG_AUTOLOAD_STRICT=1 is set" in stopped.stderr
    assert environment.run("-c", "pass", env={**STRICT, "EXTREG_AUTOLOAD": "0"}).stderr == ""
    assert environment.run("-E", "-c", "pass", env=STRICT).returncode == 0


def finding(environment):
    found = environment.status()
    assert found["state"] == "stale"
    return found["findings"]


def test_a_registry_that_is_gone(enabled):
    enabled.registry.rename(enabled.project / "new.toml")
    goes_on(enabled, f"cannot read {enabled.registry}: No such file or directory")
    (found,) = finding(enabled)
    assert found["message"] == f"{enabled.registry} is not there"
    assert found["hint"].startswith("extreg autoload enable --path FILE")
    enabled.extreg("autoload", "enable", "--path", "new.toml")
    assert enabled.status()["state"] == "on"


def test_a_malformed_registry(enabled):
    enabled.registry.write_text('format = 1\n[codes]\n300 = "nothing"\n301 = 5\n302 = 6\n')
    goes_on(enabled, f"{enabled.registry}:3: codes.300: ", "(and 1 more lines)")
    assert "codes.300" in finding(enabled)[0]["message"]
    assert enabled.extreg("autoload", "disable", env=STRICT).returncode == 0


def test_codes_that_are_taken(enabled):
    (enabled.site / "aaa.pth").write_text("import copyreg; copyreg.add_extension('other', 'Thing', 300)\n")
    done = enabled.run("-c", "import copyreg; print(copyreg._inverted_registry)")
    assert done.stdout == "{300: ('other', 'Thing')}\n"
    assert "1 conflict with what copyreg already holds; nothing was installed" in done.stderr


def test_no_stderr_is_no_trouble(enabled):
    enabled.registry.unlink()
    enabled.run("-c", "open('ran', 'w')", preexec_fn=lambda: os.close(2), capture_output=False)
    assert (enabled.project / "ran").exists()


def test_without_extreg_a_start_is_silent(environment):
    environment.extreg("autoload", "enable")
    base = environment.site / "zz_editable.pth"
    there = base.read_text()
    base.unlink()
    done = environment.run("-c", "print('ran')", env=STRICT)
    assert (done.stdout, done.stderr) == ("ran\n", "")
    with_path = {"PYTHONPATH": os.pathsep.join(there.split("\n"))}
    done = environment.extreg("autoload", "status", check=False, env=with_path)
    assert done.returncode == 1
    assert "a start of this Python finds no extreg" in done.stdout
    old = environment.site / "extreg"
    old.mkdir()
    (old / "__init__.py").write_text("__version__ = '0.0.1'\n")
    done = environment.run("-c", "print('ran')", env=STRICT)
    assert (done.stdout, done.stderr) == ("ran\n", "")
    done = environment.extreg("autoload", "status", check=False, env=with_path)
    assert f"finds extreg 0.0.1 in {old / '__init__.py'}, and this is " in done.stdout


@pytest.mark.parametrize("suffix", [".py", ".pth", ".start"])
def test_a_file_that_is_missing(enabled, suffix):
    (enabled.site / f"zzz_extreg_autoload{suffix}").unlink()
    assert enabled.run("-c", "pass").stderr == "" or suffix == ".py", "from 3.15 on a .start needs its module"
    (found,) = finding(enabled)
    assert found["message"].startswith(f"zzz_extreg_autoload{suffix} is missing in {enabled.site}")
    assert enabled.extreg(*found["hint"].split()[1:]).returncode == 0
    assert enabled.status()["state"] == "on"


def test_a_file_that_is_another(enabled):
    module = enabled.site / "zzz_extreg_autoload.py"
    written = module.read_text()
    for old, new, said in [
        ("EXTREG = ", "EXTREG = 'a' + ", "does not say what it installs"),
        ("import os\n", "import os, json\n", "is not as extreg writes it"),
        (f"EXTREG = '{version()}'", "EXTREG = '0.1.0'", f"it was written by extreg 0.1.0, and this is {version()}"),
    ]:
        assert old in written
        module.write_text(written.replace(old, new))
        (found,) = finding(enabled)
        assert said in found["message"]
        assert enabled.extreg(*found["hint"].split()[1:]).returncode == 0
        assert module.read_text() == written


def version():
    import extreg

    return extreg.__version__


@as_root
def test_a_strangers_registry_is_not_taken(enabled):
    os.chown(enabled.registry, STRANGER, STRANGER)
    goes_on(enabled, f"{enabled.registry} belongs to user {STRANGER}, not to root (user 0)")
    done = enabled.extreg("autoload", "enable", check=False)
    assert done.returncode == 2
    assert "chown or chmod it, if you trust what is in it" in done.stderr
    os.chown(enabled.registry, 0, 0)
    os.chown(enabled.project, STRANGER, STRANGER)
    goes_on(enabled, f"the folder {enabled.project} belongs to user {STRANGER}")


@as_root
def test_the_owner_of_the_environment_is_trusted(enabled):
    for path in (enabled.registry, enabled.project, enabled.site):
        os.chown(path, STRANGER, STRANGER)
    assert enabled.codes() == [300, 301]
    assert enabled.status()["state"] == "on"


@owners
def test_what_others_may_write_is_not_taken(enabled):
    enabled.registry.chmod(0o666)
    goes_on(enabled, f"anybody may write {enabled.registry}")
    enabled.registry.chmod(0o644)
    for mode in (0o777, 0o1777):
        enabled.project.chmod(mode)
        goes_on(enabled, f"anybody may write into the folder {enabled.project}")
    enabled.project.chmod(0o755)
    assert enabled.codes() == [300, 301]
    (enabled.site / "zzz_extreg_autoload.py").chmod(0o666)
    assert "anybody may write" in finding(enabled)[0]["message"]


@owners
def test_links_are_followed_and_each_folder_on_the_way_is_looked_at(environment, tmp_path):
    (tmp_path / "open").mkdir()
    link = tmp_path / "open" / "registry.toml"
    link.symlink_to(environment.registry)
    environment.extreg("autoload", "enable", "--path", link)
    assert environment.codes() == [300, 301]
    assert environment.status()["registry"] == str(link)
    link.parent.chmod(0o777)
    goes_on(environment, f"anybody may write into the folder {link.parent}")


def test_what_cannot_be_installed_is_not_enabled(enabled):
    before = {path: path.read_bytes() for path in enabled.site.glob("zzz_*")}
    (enabled.project / "bad.toml").write_text('format = 1\n[codes]\n300 = "nothing"\n')
    for line, said in [
        (["--path", "bad.toml"], "codes.300"),
        (["--path", "none.toml"], "none.toml is no file"),
    ]:
        done = enabled.extreg("autoload", "enable", *line, check=False)
        assert done.returncode == 2
        assert said in done.stderr
    (enabled.site / "aaa.pth").write_text("import copyreg; copyreg.add_extension('other', 'Thing', 300)\n")
    done = enabled.extreg("autoload", "enable", "--gated", check=False)
    assert done.returncode == 1
    assert "a start with it has no codes; nothing was changed: 1 conflict" in done.stderr
    assert {path: path.read_bytes() for path in enabled.site.glob("zzz_*")} == before
    shutil.rmtree(enabled.site / "__pycache__")


def test_a_package_that_only_the_project_sees_is_found_out_when_it_is_enabled(environment):
    """At a start the program's own folder is not on the path yet."""
    (environment.project / "lib").mkdir()
    (environment.project / "lib" / "__init__.py").touch()
    (environment.project / "lib" / "registry.toml").write_text('format = 1\n[codes]\n500 = "m:C"\n')
    environment.registry.write_text('format = 1\ninclude = ["lib"]\n')
    done = environment.extreg("autoload", "enable", check=False)
    assert done.returncode != 0
    assert "include: " in done.stderr
    assert environment.files() == []
