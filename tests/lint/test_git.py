"""lint against what git has, in real repositories."""

import shutil
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.once]

ORDER, BASKET = '300 = "shop.models:Order"', '301 = "shop.models:Basket"'


def write(project: Path, *rows: str, more: str = "", name: str = "registry.toml") -> None:
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("\n".join(["format = 1", "", "[codes]", *rows, "", more]))


@pytest.fixture
def commit(git):
    def commit(message: str) -> None:
        git("add", "--all")
        git("commit", "--quiet", "-m", message)

    return commit


def test_a_broken_promise_is_found_against_a_ref(extreg, project, git) -> None:
    write(project, '300 = "shop.models:Basket"')
    done = extreg("lint", "--against", "main")
    assert done.returncode == 1
    assert "reassigned-code: code 300 means shop.models:Basket, but meant shop.models:Order in main" in done.stdout
    assert "deleted-code: code 301 (shop.models:Basket) was [codes] in main and is gone" in done.stdout


def test_a_kept_promise_is_clean(extreg, project, git, commit) -> None:
    write(project, ORDER, BASKET, '302 = "shop.models:Order.__init__"  # extreg: ignore[nested-name] protocol 5 only')
    assert extreg("lint", "--against", "HEAD").returncode == 0


def test_a_path_can_be_the_base(extreg, project) -> None:
    shutil.copy(project / "registry.toml", project / "released.toml")
    write(project, ORDER)
    done = extreg("lint", "--against", "released.toml")
    assert "deleted-code: code 301 (shop.models:Basket) was [codes] in released.toml" in done.stdout


def test_a_missing_ref_is_named(extreg, git) -> None:
    done = extreg("lint", "--against", "origin/main")
    assert done.returncode == 2
    assert "there is no such commit or file here" in done.stderr
    assert "git fetch" in done.stderr


def test_a_ref_that_looks_like_an_option_is_none(extreg, git) -> None:
    assert extreg("lint", "--against=--output=x").returncode == 2


def test_outside_a_repository_the_message_says_so(extreg) -> None:
    done = extreg("lint", "--against", "main")
    assert done.returncode == 2
    assert "is not in a git repository" in done.stderr


@pytest.mark.parametrize("committed", [True, False])
def test_a_renamed_file_is_followed(extreg, project, git, commit, committed: bool) -> None:
    (project / "conf").mkdir()
    git("mv", "registry.toml", "conf/registry.toml")
    if committed:
        commit("rename")
    text = (project / "conf" / "registry.toml").read_text().replace(BASKET + "\n", "")
    (project / "conf" / "registry.toml").write_text(text)
    base = "HEAD~1" if committed else "HEAD"
    done = extreg("lint", "--registry", "conf", "--against", base)
    assert "deleted-code: code 301" in done.stdout, done.stderr


def test_a_rename_that_git_does_not_see_is_an_error_with_a_way_out(extreg, project, git, commit) -> None:
    git("rm", "--quiet", "registry.toml")
    write(project, *(f'{code} = "shop.models:Order"' for code in range(5)), more="# all new", name="new/registry.toml")
    write(project, ORDER, name="new/registry.toml")
    (project / "new" / "registry.toml").write_text('format = 1\n[load-only]\n777 = "shop.models:Order"\n' + "#\n" * 90)
    commit("anew")
    done = extreg("lint", "--registry", "new", "--against", "HEAD~1")
    assert done.returncode == 2
    assert "--against HEAD~1:registry.toml" in done.stderr
    assert "deleted-code" in extreg("lint", "--registry", "new", "--against", "HEAD~1:registry.toml").stdout


def test_a_file_that_is_new_breaks_no_promise(extreg, project, git, commit) -> None:
    git("rm", "--quiet", "registry.toml")
    commit("without")
    write(project, ORDER)
    done = extreg("lint", "--against", "HEAD")
    assert done.returncode == 0
    assert "there is nothing to compare it with" in done.stderr


def test_a_shallow_clone_is_named(extreg, project, git, commit, tmp_path) -> None:
    write(project, ORDER, BASKET, "# more")
    commit("second")
    git("clone", "--quiet", "--depth=1", project.as_uri(), str(tmp_path / "shallow"), cwd=tmp_path)
    for arguments in (("--against", "HEAD~1"), ("--history",)):
        done = extreg("lint", *arguments, cwd=tmp_path / "shallow")
        assert done.returncode == 2
        assert "shallow" in done.stderr
        assert "fetch-depth: 0" in done.stderr


def test_history_finds_what_two_points_do_not_show(extreg, project, git, commit) -> None:
    write(project, ORDER, BASKET, '302 = "shop.models:Gone"')
    commit("a third code")
    write(project, ORDER, BASKET)
    commit("and gone again")
    write(project, ORDER, '301 = "shop.models:Other"')
    commit("another meaning")
    write(project, ORDER, BASKET)
    commit("and back")
    assert extreg("lint", "--against", "HEAD~1", "--ignore", "reassigned-code").returncode == 0
    done = extreg("lint", "--history")
    assert done.returncode == 1
    assert "deleted-code: code 302 (shop.models:Gone)" in done.stdout
    assert "reassigned-code: code 301 means shop.models:Basket, but meant shop.models:Other in commit" in done.stdout


def test_history_goes_through_renames_and_merges(extreg, project, git, commit) -> None:
    git("checkout", "--quiet", "-b", "side")
    write(project, ORDER, BASKET, '302 = "shop.models:Side"')
    commit("side")
    git("checkout", "--quiet", "main")
    git("mv", "registry.toml", "codes.toml")
    commit("rename")
    git("merge", "--quiet", "--no-edit", "side")
    write(project, ORDER, BASKET, name="codes.toml")
    commit("lost in the merge")
    done = extreg("lint", "--registry", "codes.toml", "--history")
    assert "deleted-code: code 302 (shop.models:Side)" in done.stdout, done.stdout + done.stderr


def test_history_survives_an_old_version_that_is_broken(extreg, project, git, commit) -> None:
    (project / "registry.toml").write_bytes(b"\xff\xfe<<<<<<< x\n")
    commit("broken")
    write(project, ORDER, BASKET)
    commit("mended")
    assert extreg("lint", "--history").returncode == 0


def test_history_of_a_file_that_was_never_committed_is_an_error(extreg, project, git) -> None:
    write(project, ORDER, name="other.toml")
    done = extreg("lint", "--registry", "other.toml", "--history")
    assert done.returncode == 2
    assert "never been committed" in done.stderr


def test_rolling_asks_for_one_step_at_a_time(extreg, project, git) -> None:
    write(project, ORDER, BASKET, '302 = "shop:Order"')
    done = extreg("lint", "--against", "main", "--rolling", "--no-source")
    assert "unstaged-code: code 302 (shop:Order) is live, but main does not know it" in done.stdout
    write(project, ORDER, BASKET, more='[load-only]\n302 = "shop:Order"\n')
    assert extreg("lint", "--against", "main", "--rolling", "--no-source").returncode == 0
