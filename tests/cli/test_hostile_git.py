"""A repository whose configuration is not to be trusted: reading it starts none of the programs that it names."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from extreg.project.git import run_git

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the traps are shell scripts"),
    pytest.mark.once,
]

HEAD = "format = 1\n\n[codes]\n"
VERSIONS = [f'{HEAD}300 = "shop:Order"\n', f'{HEAD}300 = "shop:Order"\n301 = "shop:Basket"\n']
OURS, THEIRS = (f'{HEAD}300 = "shop:Order"\n302 = "shop:{name}"\n' for name in ("Mine", "Yours"))
CONFLICT = f'{HEAD}<<<<<<< ours\n302 = "shop:Mine"\n=======\n302 = "shop:Yours"\n>>>>>>> theirs\n'

# Every key of git-config(1) that names a program, for git's own commands or for its tools; {} is that program.
PROGRAMS = [
    "core.fsmonitor",
    "core.sshCommand",
    "core.pager",
    "core.editor",
    "core.askPass",
    "core.gitProxy",
    "core.alternateRefsCommand",
    "sequence.editor",
    "gpg.program",
    "gpg.openpgp.program",
    "gpg.ssh.program",
    "gpg.x509.program",
    "gpg.ssh.defaultKeyCommand",
    "diff.external",
    "diff.trap.command",
    "diff.trap.textconv",
    "filter.trap.clean",
    "filter.trap.smudge",
    "filter.trap.process",
    "merge.trap.driver",
    "credential.helper",
    "credential.https://example.org.helper",
    "remote.origin.uploadpack",
    "remote.origin.receivepack",
    "uploadpack.packObjectsHook",
    "interactive.diffFilter",
    "gc.recentObjectsHook",
    "difftool.trap.cmd",
    "mergetool.trap.cmd",
    "browser.trap.cmd",
    "man.trap.cmd",
    "guitool.trap.cmd",
    "web.browser",
    "instaweb.browser",
    "imap.tunnel",
    "sendemail.sendmailCmd",
    "sendemail.toCmd",
    "sendemail.ccCmd",
    "tar.trap.command",
    "trailer.trap.command",
    "trailer.trap.cmd",
    "hook.trap.command",
    "sendpack.trap",
    "lfs.customtransfer.trap.path",
]
COMMANDS_OF_GIT = [
    "cat-file",
    "check-attr",
    "config",
    "diff",
    "diff-index",
    "for-each-ref",
    "log",
    "ls-tree",
    "merge-file",
    "rev-parse",
    "show",
]
SETTINGS = {
    "core.repositoryformatversion": "1",
    "extensions.partialClone": "origin",
    "remote.origin.promisor": "true",
    "remote.origin.partialclonefilter": "blob:none",
    "protocol.ext.allow": "always",
    "log.showSignature": "true",
    "filter.trap.required": "true",
    "submodule.shop.update": "!{}",
    "submodule.recurse": "true",
    "diff.ignoreSubmodules": "none",
    "hook.trap.event": "post-index-change",
    "diff.tool": "trap",
    "merge.tool": "trap",
}
HOOKS = [
    "post-index-change",
    "reference-transaction",
    "post-checkout",
    "pre-auto-gc",
    "fsmonitor-watchman",
    "post-merge",
]
SIGNED = """\
tree {tree}
parent {parent}
author A <a@example.org> 1700000000 +0000
committer A <a@example.org> 1700000000 +0000
gpgsig -----BEGIN PGP SIGNATURE-----
 
 iQEzBAABCAAdFiEE
 -----END PGP SIGNATURE-----

signed
"""  # noqa: W293 - a continued header line


@dataclass(frozen=True)
class Repository:
    folder: Path
    marks: Path
    traps: Path

    def git(self, *arguments: str, data: str = "") -> str:
        done = subprocess.run(["git", *arguments], cwd=self.folder, input=data, capture_output=True, text=True)
        return done.stdout.strip()

    def trap(self, name: str) -> str:
        """Return a program that leaves `name` behind."""
        path = self.traps / name.replace("/", "-")
        path.write_text(f"#!/bin/sh\n: > '{self.marks}/{path.name}'\nexit 1\n")
        path.chmod(0o755)
        return str(path)

    def sprung(self) -> set[str]:
        found = {mark.name for mark in self.marks.iterdir()}
        for mark in self.marks.iterdir():
            mark.unlink()
        return found


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "a@example.org")
    made = Repository(tmp_path / "checkout", tmp_path / "marks", tmp_path / "traps")
    for folder in (made.folder, made.marks, made.traps):
        folder.mkdir()
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("config", "gc.auto", "0")
    for version in (*VERSIONS, OURS):
        (made.folder / "registry.toml").write_text(version)
        made.git("add", "registry.toml")
        made.git("commit", "--quiet", "-m", "a version")
    signed = SIGNED.format(tree=made.git("rev-parse", "HEAD^{tree}"), parent=made.git("rev-parse", "HEAD~1"))
    made.git("update-ref", "refs/heads/main", made.git("hash-object", "-t", "commit", "-w", "--stdin", data=signed))
    made.git("update-ref", "refs/remotes/origin/main", "HEAD~1")
    oldest = made.git("rev-parse", "HEAD~2:registry.toml")
    (made.folder / ".git" / "objects" / oldest[:2] / oldest[2:]).unlink()  # what a lazy fetch would bring
    (made.folder / "conflict.toml").write_text(CONFLICT)
    for name, text in (("base", VERSIONS[0]), ("ours", OURS), ("theirs", THEIRS)):
        (made.folder / f"{name}.toml").write_text(text)
    lay_traps(made)
    return made


def lay_traps(made: Repository) -> None:
    for place in (made.folder / ".gitattributes", made.folder / ".git" / "info" / "attributes"):
        place.parent.mkdir(exist_ok=True)
        place.write_text("* diff=trap filter=trap merge=trap text\n")
    for folder in (made.folder / ".git" / "hooks", made.folder.parent / "hooks"):
        folder.mkdir(exist_ok=True)
        for name in HOOKS:
            shutil.copy(made.trap(f"hook-{name}"), folder / name)
    settings = {key: made.trap(key) for key in PROGRAMS}
    settings.update({f"alias.{name}": f"!{made.trap(f'alias.{name}')}" for name in COMMANDS_OF_GIT})
    settings.update({f"pager.{name}": made.trap(f"pager.{name}") for name in COMMANDS_OF_GIT})
    settings.update({key: value.replace("{}", made.trap(key)) for key, value in SETTINGS.items()})
    settings["remote.origin.url"] = f"ext::{made.trap('ext')} %S"
    settings["core.hooksPath"] = str(made.folder.parent / "hooks")
    with (made.folder / ".git" / "config").open("a") as file:
        for key, value in settings.items():
            section, _, name = key.rpartition(".")
            section, _, middle = section.partition(".")
            file.write(f'[{section}{f" {chr(34)}{middle}{chr(34)}" if middle else ""}]\n\t{name} = "{value}"\n')
    os.utime(made.folder / "registry.toml", (1, 1))  # the index has to look again


def test_the_traps_are_armed(hostile: Repository) -> None:
    """Git itself, as anybody calls it, springs them."""
    hostile.git("log", "-1")
    hostile.git("status")
    hostile.git("diff", "--cached", "HEAD~1")
    hostile.git("cat-file", "blob", "HEAD~2:registry.toml")
    assert {"gpg.openpgp.program", "core.fsmonitor", "filter.trap.process", "ext"} <= hostile.sprung()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "lint --against main --no-source"),
        (1, "lint --against HEAD~1 --rolling --no-source"),
        (2, "lint --history"),
        (2, "lint --against HEAD~2"),
        (2, "lint --against origin/nothing"),
        (0, "diff main"),
        (1, "diff HEAD~1"),
        (2, "diff HEAD~2"),
        (0, "merge-driver base.toml ours.toml theirs.toml registry.toml"),
        (0, "merge-driver --ancestors base.toml ours.toml theirs.toml registry.toml"),
        (0, "resolve --registry conflict.toml"),
        (1, "git-setup --check"),
        (0, "git-setup"),
        (0, "add --no-import shop:Line"),
        (0, "list"),
    ],
)
def test_no_command_starts_a_program_of_the_configuration(
    code: int, words: str, hostile: Repository, run_extreg
) -> None:
    done = run_extreg(*words.split(), cwd=hostile.folder)
    assert (done.returncode, hostile.sprung()) == (code, set()), done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_was_renamed_is_followed_without_them(hostile: Repository, run_extreg) -> None:
    """Which compares contents, in the index too."""
    renamed = hostile.folder / "conf" / "registry.toml"
    renamed.parent.mkdir()
    (hostile.folder / "registry.toml").rename(renamed)
    blob = hostile.git("rev-parse", "HEAD:registry.toml")
    hostile.git("update-index", "--add", "--cacheinfo", f"100644,{blob},conf/registry.toml")
    hostile.git("update-index", "--force-remove", "registry.toml")
    hostile.sprung()
    done = run_extreg("lint", "--registry", "conf", "--against", "main", "--no-source", cwd=hostile.folder)
    assert (done.returncode, hostile.sprung()) == (0, set()), done.stderr


def test_a_work_tree_that_is_elsewhere_is_named(hostile: Repository, run_extreg, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    hostile.git("config", "core.worktree", str(tmp_path / "elsewhere"))
    hostile.sprung()
    done = run_extreg("lint", "--against", "main", cwd=hostile.folder)
    assert (done.returncode, hostile.sprung()) == (2, set())
    assert "is in no work tree" in done.stderr


def test_git_is_not_looked_for_in_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\n: > sprung\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", os.environ["PATH"]]))
    assert run_git(["--version"]).stdout.startswith(b"git version")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("filtered", ["blob:none", "tree:0"])
@pytest.mark.parametrize("words", ["lint --against HEAD~1 --no-source", "lint --history --no-source", "diff HEAD~1"])
def test_what_a_partial_clone_left_out_is_unknown_until_the_command_it_says_has_run(
    filtered: str, words: str, tmp_path: Path, run_extreg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    source = Repository(tmp_path / "source", tmp_path, tmp_path)
    source.folder.mkdir()
    source.git("init", "--quiet", "--initial-branch=main")
    for key, value in (("user.name", "A"), ("user.email", "a@example.org"), ("uploadpack.allowFilter", "true")):
        source.git("config", key, value)
    (source.folder / "conf").mkdir()
    for version in VERSIONS:
        (source.folder / "conf" / "registry.toml").write_text(version)
        source.git("add", ".")
        source.git("commit", "--quiet", "-m", "a version")
    source.git("clone", "--quiet", f"--filter={filtered}", source.folder.as_uri(), str(tmp_path / "clone"))
    clone = tmp_path / "clone" / "conf"
    done = run_extreg(*words.split(), cwd=clone)
    assert done.returncode == 2, done.stdout
    assert "partial" in done.stderr
    cure = done.stderr.partition("to fetch it: ")[2].strip()
    assert subprocess.run(cure, shell=True, capture_output=True, cwd=clone).returncode == 0
    assert run_extreg(*words.split(), cwd=clone).returncode in (0, 1)
