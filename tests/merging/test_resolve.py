"""`extreg resolve`: files in which git left conflict markers, because no driver was at hand."""

import pytest

from extreg.registry.allocation import allocate
from extreg.registry.model import Registry

pytestmark = [pytest.mark.slow, pytest.mark.once]

BOTH = '300 = "shop:Money"   # since 1.0\n'


@pytest.fixture
def plain(make_repository, request):
    """A repository without the driver, in which main and topic took the same code; topic is checked out."""
    from_text = "# The shop's codes.\nformat = 1\n\n[codes]\n" + BOTH + "\n[load-only]\n" + '9000 = "shop:Basket"\n'
    repository = make_repository(from_text, driver=False)
    for branch, name in (("topic", "Topic"), ("main", "Main")):
        if branch == "topic":
            repository.branch(branch)
        else:
            repository.switch(branch)
        repository.add(f'# about {name}\n5000 = "shop:{name}"  # why {name}')
        repository.commit(name)
    repository.switch("topic")
    return repository


@pytest.mark.parametrize("style", ["merge", "diff3", "zdiff3"])
@pytest.mark.parametrize("operation", ["merge", "rebase", "cherry-pick", "into main"])
def test_main_keeps_its_code_in_every_operation_and_every_style(plain, style, operation):
    plain.git("config", "merge.conflictStyle", style)
    if operation in ("cherry-pick", "into main"):
        plain.switch("main")
    commands = {
        "merge": ("merge", "-q", "main"),
        "into main": ("merge", "-q", "topic"),
        "rebase": ("rebase", "-q", "main"),
        "cherry-pick": ("cherry-pick", "topic"),
    }
    assert plain.git(*commands[operation], check=False).returncode == 1
    assert "<<<<<<<" in plain.text
    done = plain.extreg("resolve")
    registry = plain.registry
    fresh = allocate(Registry(codes={5000: "shop:Main"}), "shop:Topic")
    assert dict(registry.codes) == {300: "shop:Money", 5000: "shop:Main", fresh: "shop:Topic"}
    assert "resolved 1 conflict" in done.stdout
    assert f"shop:Topic has code {fresh} from now on, not 5000" in done.stderr
    assert f'# about Topic\n{fresh} = "shop:Topic"  # why Topic\n' in plain.text
    assert '# about Main\n5000 = "shop:Main"  # why Main\n' in plain.text
    assert BOTH in plain.text
    plain.git("add", "registry.toml")
    end = {"rebase": ("rebase", "--continue"), "cherry-pick": ("cherry-pick", "--continue")}
    plain.git(*end.get(operation, ("commit", "-q", "--no-edit")))
    assert plain.registry == registry


def test_what_a_person_already_mended_outside_of_the_markers_stays(plain):
    plain.git("merge", "-q", "main", check=False)
    plain.change("# The shop's codes.", "# Mended by hand.")
    plain.extreg("resolve")
    assert plain.text.startswith("# Mended by hand.\n")


def test_a_contradiction_keeps_its_markers_and_the_exit_code_says_so(plain):
    for branch, place in (("topic", "left"), ("main", "right")):
        plain.switch(branch)
        plain.change('9000 = "shop:Basket"\n', f'9000 = "shop.{place}:Basket"\n')
        plain.write(plain.text + '\n[moved]\n9000 = ["shop:Basket"]\n')
        plain.commit("move")
    plain.switch("topic")
    plain.git("merge", "-q", "main", check=False)
    assert "<<<<<<<" in plain.text
    done = plain.extreg("resolve", check=False)
    assert done.returncode == 1
    assert "1 contradiction left between markers; the rest is resolved" in done.stdout
    assert "code 9000" in done.stderr
    assert plain.text.count("<<<<<<<") == 1
    left = '<<<<<<< ours\n9000 = "shop.left:Basket"\n=======\n9000 = "shop.right:Basket"\n>>>>>>> theirs\n'
    assert left in plain.text
    again = plain.text
    assert plain.extreg("resolve", check=False).returncode == 1
    assert plain.text == again


def test_a_file_without_git_resolves_from_what_its_sides_agree_on(tmp_path, make_repository, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    path = tmp_path / "loose.toml"
    conflict = '<<<<<<< HEAD\n5000 = "shop:A"\n=======\n5000 = "shop:B"\n>>>>>>> other\n'
    path.write_text(f'format = 1\n\n[codes]\n300 = "shop:C"\n{conflict}')
    repository = make_repository("format = 1\n", driver=False)
    repository.extreg("resolve", "--registry", str(path))
    assert Registry.load(path).codes[5000] == "shop:A"
    assert Registry.load(path).codes[300] == "shop:C"


def test_a_file_without_markers_is_left_alone(plain):
    before = plain.text
    assert "no conflict markers" in plain.extreg("resolve").stdout
    assert plain.text == before


@pytest.mark.parametrize(
    "text",
    [
        'format = 1\n<<<<<<< HEAD\n[codes]\n5000 = "shop:A"\n',
        "format = 1\n<<<<<<< HEAD\n>>>>>>> other\n",
        "format = 1\n<<<<<<< HEAD\n=======\n=======\n>>>>>>> other\n",
        "format = 1\n<<<<<<< HEAD\n<<<<<<< HEAD\n=======\n>>>>>>> other\n",
    ],
)
def test_markers_that_do_not_fit_together_are_refused_and_the_file_is_left_alone(plain, text):
    plain.write(text)
    done = plain.extreg("resolve", check=False)
    assert done.returncode == 1
    assert "git checkout --merge" in done.stderr
    assert plain.text == text


def test_a_side_that_is_no_registry_is_named_and_the_file_is_left_alone(plain):
    text = 'format = 1\n<<<<<<< HEAD\n[codes]\n=======\n[kodes]\n>>>>>>> other\n5000 = "shop:A"\n'
    plain.write(text)
    done = plain.extreg("resolve", check=False)
    assert done.returncode == 2
    assert "(theirs)" in done.stderr
    assert "kodes" in done.stderr
    assert plain.text == text


@pytest.mark.parametrize("trouble", ["ref", "configuration", "object"])
def test_who_is_upstream_is_not_guessed(plain, trouble):
    """A branch that git cannot read is none that has published nothing."""
    assert plain.git("merge", "-q", "main", check=False).returncode == 1
    before = plain.text
    if trouble == "ref":
        (plain.folder / ".git" / "refs" / "heads" / "main").write_text("garbage\n")
    elif trouble == "configuration":
        (plain.folder / ".git" / "config").write_text("[core\n")
    else:
        tree = plain.git("rev-parse", "main^{tree}").stdout.strip()
        (plain.folder / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    done = plain.extreg("resolve", check=False)
    assert done.returncode == 2
    assert "git says: " in done.stderr
    assert "hint: " in done.stderr
    assert plain.text == before
