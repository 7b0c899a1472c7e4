"""extreg lint from the outside: exit codes, options, settings, the formats."""

import json
from pathlib import Path

import pytest

from extreg import lint
from extreg.errors import UnreadableError
from extreg.linter.check import BY_NAME

pytestmark = pytest.mark.slow

FORMATS = ("text", "json", "github", "gitlab", "junit", "sarif")
ORDER = '300 = "shop.models:Order"'


def write(project: Path, *rows: str, more: str = "") -> None:
    (project / "registry.toml").write_text("\n".join(["format = 1", "", "[codes]", *rows, "", more]))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("rows", "code"),
    [([ORDER], 0), (['300 = "shop:Order"'], 1), (['0x300 = "shop:Order"'], 2), (["<<<<<<< HEAD", ORDER], 1)],
    ids=["clean", "finding", "malformed", "markers"],
)
def test_the_exit_code_is_the_same_in_every_format(extreg, project, name: str, rows: list[str], code: int) -> None:
    write(project, *rows)
    assert extreg("lint", "--format", name).returncode == code


@pytest.mark.parametrize("name", FORMATS)
def test_output_is_the_same_every_time_and_sorted(extreg, project, name: str) -> None:
    write(project, '310 = "shop:Order"', '309 = "shop:Gone"', '308 = "shop.models:Order.Line"')
    first = extreg("lint", "--format", name).stdout
    assert extreg("lint", "--format", name).stdout == first
    if name == "json":
        lines = [found["line"] for found in json.loads(first)["findings"]]
        assert lines == sorted(lines)


def test_text_names_place_rule_message_and_hint(extreg, project) -> None:
    write(project, '300 = "shop:Order"')
    output = extreg("lint").stdout.splitlines()
    assert output[0].endswith(
        "registry.toml:4: reexported-target: "
        "code 300 (shop:Order) is really shop.models:Order, which is what pickle looks up"
    )
    assert output[1] == "    hint: extreg move 300 shop.models:Order"
    assert output[2].endswith("registry.toml: 1 finding")


def test_json_has_a_version(extreg, project) -> None:
    write(project, '300 = "shop:Order"')
    answer = json.loads(extreg("lint", "--format", "json").stdout)
    assert answer["version"] == 1
    assert set(answer["findings"][0]) == {"rule", "path", "line", "message", "hint", "level"}


def test_github_annotations_escape_what_has_a_meaning(extreg, project) -> None:
    write(project, '300 = "shop:a%b,c"')
    output = extreg("lint", "--format", "github").stdout
    assert output.startswith("::error file=registry.toml,line=4,title=extreg missing-target::code 300 (shop:a%25b,c)")
    assert output.count("\n") == 1


def test_select_runs_the_named_rules_only(extreg, project) -> None:
    write(project, '310 = "shop:Order"', '309 = "shop:Gone"')
    output = extreg("lint", "--select", "missing-target", "--format", "json").stdout
    assert [found["rule"] for found in json.loads(output)["findings"]] == ["missing-target"]


def test_ignore_leaves_rules_out(extreg, project) -> None:
    write(project, '310 = "shop:Order"', '309 = "shop:Gone"')
    assert extreg("lint", "--ignore", "missing-target,reexported-target", "--ignore", "unsorted").returncode == 0


def test_a_file_that_is_malformed_is_reported_whatever_is_selected(extreg, project) -> None:
    write(project, "300 = 5")
    assert extreg("lint", "--select", "unsorted").returncode == 2
    assert extreg("lint", "--ignore", "malformed").returncode == 2


def test_an_unknown_rule_is_a_usage_error_with_the_nearest_name(extreg) -> None:
    done = extreg("lint", "--select", "reasigned-code")
    assert done.returncode == 2
    assert "did you mean reassigned-code?" in done.stderr


def test_settings_come_from_pyproject(extreg, project) -> None:
    write(project, '310 = "shop:Order"', '309 = "shop:Gone"')
    (project / "pyproject.toml").write_text(
        "[tool.extreg.lint]\n"
        'ignore = ["missing-target", "reexported-target"]\n'
        'select = ["missing-target", "unsorted"]\n'
    )
    output = json.loads(extreg("lint", "--format", "json").stdout)
    assert [found["rule"] for found in output["findings"]] == ["unsorted"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('selct = ["unsorted"]', "unknown key"),
        ('select = "unsorted"', "expected an array of strings"),
        ('select = ["unsortd"]', "there is no rule 'unsortd'"),
        ('python = ["three"]', "expected a version"),
        ('python = ["2.7"]', "expected versions from 3.10 to 3.15, found '2.7'"),
        ('exlude = ["tests/*"]', "did you mean exclude?"),
        ("[tool.extreg.lnt]", "tool.extreg.lnt: unknown key, expected one of registry, places, jar, doctor, lint"),
        ('[tool.extreg]\nregistri = "x.toml"', "did you mean registry?"),
    ],
)
def test_bad_settings_are_named(extreg, project, line: str, message: str) -> None:
    (project / "pyproject.toml").write_text(f"[tool.extreg.lint]\n{line}\n" if line[0] != "[" else f"{line}\n")
    done = extreg("lint")
    assert done.returncode == 2
    assert message in done.stderr


def test_the_supported_versions_decide_what_drifts(extreg, project) -> None:
    write(project, '300 = "pathlib:PosixPath"')
    assert "drifting-target" in extreg("lint").stdout
    (project / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.10,<3.13"\n')
    assert "drifting-target" not in extreg("lint").stdout
    (project / "pyproject.toml").write_text('[tool.extreg.lint]\npython = ["3.12", "3.13"]\n')
    assert "drifting-target" in extreg("lint").stdout


def test_folders_of_the_settings_are_on_the_import_path(extreg, project) -> None:
    (project / "registry.toml").write_text('format = 1\n\n[codes]\n300 = "elsewhere:Thing"\n')
    (project / "examples").mkdir()
    (project / "examples" / "elsewhere.py").write_text("class Thing: pass\n")
    assert extreg("lint").returncode == 1
    (project / "pyproject.toml").write_text('[tool.extreg.lint]\npath = ["examples"]\n')
    assert extreg("lint").returncode == 0


def test_calls_in_excluded_files_do_not_count(extreg, project) -> None:
    (project / "tests").mkdir()
    (project / "tests" / "test_x.py").write_text("import copyreg\n\ncopyreg.add_extension('a', 'b', 4000)\n")
    assert "test_x.py:3: unregistered-call" in extreg("lint").stdout
    (project / "pyproject.toml").write_text('[tool.extreg.lint]\nexclude = ["tests/*"]\n')
    assert extreg("lint").returncode == 0


def test_settings_that_do_nothing_are_told(extreg, project) -> None:
    (project / "docs").mkdir()
    (project / "pyproject.toml").write_text('[tool.extreg.lint]\nexclude = ["docs/*"]\npath = ["nowhere"]\n')
    done = extreg("lint")
    assert done.returncode == 0
    assert "tool.extreg.lint.exclude: 'docs/*' matches no Python file" in done.stderr
    assert "tool.extreg.lint.path: there is no folder" in done.stderr
    (project / "docs" / "conf.py").touch()
    (project / "nowhere").mkdir()
    assert extreg("lint").stderr == ""


def test_no_source_looks_at_the_registry_only(extreg, project) -> None:
    write(project, '300 = "shop:Gone"')
    (project / "calls.py").write_text("import copyreg\n\ncopyreg.add_extension('a', 'b', 4000)\n")
    assert extreg("lint", "--no-source").returncode == 0


def test_nothing_of_the_project_is_imported_without_being_asked_to(extreg, project) -> None:
    (project / "shop" / "models.py").write_text("class Order:\n    pass\n\n\nopen('imported', 'w').close()\n")
    write(project, ORDER)
    assert extreg("lint").returncode == 0
    assert not (project / "imported").exists()
    assert extreg("lint", "--import").returncode == 0
    assert (project / "imported").exists()


def test_the_source_is_found_from_any_working_directory(extreg, project) -> None:
    done = extreg("lint", "--registry", str(project / "registry.toml"), cwd=project.parent)
    assert done.returncode == 0, done.stdout


def test_the_library_finds_what_the_command_does(project) -> None:
    write(project, '300 = "shop:Order"')
    assert [found.rule for found in lint(project / "registry.toml")] == ["reexported-target"]
    assert lint(project / "registry.toml", ignore=("reexported-target",)) == ()
    with pytest.raises(UnreadableError, match="no rule"):
        lint(project / "registry.toml", select=("nothing",))


def test_rolling_needs_a_base(extreg) -> None:
    done = extreg("lint", "--rolling")
    assert done.returncode == 2
    assert "--against" in done.stderr


def test_rule_lists_every_rule_and_explains_each(extreg) -> None:
    listed = extreg("rule").stdout
    assert [line.split()[0] for line in listed.splitlines()] == list(BY_NAME)
    explained = extreg("rule", "nested-name").stdout
    assert "Why it matters:" in explained
    assert "How to fix it:" in explained
    assert set(BY_NAME) == {rule["name"] for rule in json.loads(extreg("rule", "--format", "json").stdout)["rules"]}
    assert extreg("rule", "no-such-rule").returncode == 2


def test_a_registry_within_its_package_finds_the_package(extreg, project) -> None:
    (project / "pyproject.toml").unlink()
    (project / "registry.toml").rename(project / "shop" / "registry.toml")
    done = extreg("lint", "--registry", str(project / "shop"), cwd=Path("/"))
    assert done.returncode == 0, done.stdout


def test_installed_distributions_that_take_our_codes_are_found(extreg, project, tmp_path, monkeypatch) -> None:
    site = tmp_path / "site"
    (site / "squatter-1.dist-info").mkdir(parents=True)
    (site / "squatter-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: squatter\nVersion: 1\n")
    (site / "squatter-1.dist-info" / "RECORD").write_text("squatter.py,,\n")
    (site / "squatter.py").write_text(
        "import copyreg\n\ncopyreg.add_extension('squatter', 'Mine', 300)\ncopyreg.add_extension('squatter', 'X', 99)\n"
    )
    program = f"import sys; sys.path.append({str(site)!r}); from extreg.cli.main import run; run()"
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-c", program, "lint", "--installed"], cwd=project, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "squatter.py:3: unregistered-call: add_extension gives squatter:Mine the code 300" in done.stdout
    assert "1 finding" in done.stdout
