"""Random histories in real repositories: merge, rebase, cherry-pick and criss-cross, through the driver.

What must hold after every step: no target that a side had is lost, no code means two things, no code that upstream
already had changes its meaning; no alias and no rename is lost, and none leads to two places.
"""

import random
import shutil
import subprocess
from collections import Counter
from dataclasses import replace

import pytest

from extreg.errors import ExtregError
from extreg.registry import life
from extreg.registry.difference import Row, rows, same_meaning
from extreg.registry.model import Registry
from extreg.registry.other_names import alias, move_module
from extreg.registry.renames import is_below

pytestmark = [pytest.mark.slow, pytest.mark.once]

# Narrow ranges, so that branches meet; a team's real ranges are a thousand times as wide.
START = """\
# Codes of a small shop.
format = 1

[ranges.default]
first = 256
last = 300

[ranges.hot]
first = 240
last = 255
allocate = "next"

[codes]
"""
KINDS = {
    "add": 30,
    "hot": 12,
    "code": 10,
    "load-only": 12,
    "promote": 8,
    "demote": 6,
    "retire": 6,
    "move": 8,
    "alias": 10,
    "rename": 6,
    "module": 4,
    "reducer": 4,
    "range": 4,
}
FEW = 25
MANY = 1000
PARTS = 10


class History:
    def __init__(self, seed: int, repository) -> None:
        self.random = random.Random(seed)
        self.figures: Counter[str] = Counter()
        self.repository = repository
        self.current = "main"
        self.objects = subprocess.Popen(
            ["git", "cat-file", "--batch"], cwd=repository.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.remote = self.random.random() < 0.5
        self.ledger: dict[int, Row] = {}
        self.names = iter(f"branch-{number}" for number in range(100))
        for _ in range(self.random.randint(2, 6)):
            self.edit()
        self.repository.git("commit", "-q", "--amend", "-a", "--no-edit")
        self.publish()

    def at(self, reference: str) -> Registry:
        """Return the registry at a revision, from one git process for the whole history."""
        assert self.objects.stdin is not None
        assert self.objects.stdout is not None
        self.objects.stdin.write(f"{reference}:registry.toml\n".encode())
        self.objects.stdin.flush()
        size = int(self.objects.stdout.readline().split()[2])
        return Registry.parse(self.objects.stdout.read(size + 1)[:-1].decode())

    def close(self) -> None:
        self.objects.communicate()

    # What people do to a registry

    def edit(self) -> None:
        registry = self.repository.registry
        for _ in range(5):
            try:
                changed = self.change(registry)
            except ExtregError:
                continue  # not possible now; try another
            self.repository.edit(changed)
            self.comment(changed.spent - registry.spent)
            return

    def change(self, registry: Registry) -> Registry:
        kind = self.random.choices(tuple(KINDS), tuple(KINDS.values()))[0]
        target = f"shop.m{self.random.randrange(3)}:C{self.random.randrange(25)}"
        if kind in ("add", "hot", "load-only"):
            range_name = "hot" if kind == "hot" else None
            return life.add(registry, target, range_name=range_name, load_only=kind == "load-only")[0]
        if kind == "code":
            return life.add(registry, target, code=self.random.randrange(256, 301))[0]
        if kind == "reducer":
            function = f"shop.reduce:r{self.random.randrange(3)}"
            return replace(registry, reducers={**registry.reducers, target: function})
        if kind == "range":
            name, first = self.random.choice((("billing", 40000), ("stock", 50000)))
            modules = (f"{name}{self.random.randrange(2)}",)
            span = replace(registry.ranges["default"], first=first, last=first + 99, modules=modules)
            return replace(registry, ranges={**registry.ranges, name: registry.ranges.get(name, span)})
        if kind == "rename":
            old = self.random.choice((f"shop.x{self.random.randrange(4)}", f"shop.x:X{self.random.randrange(4)}"))
            new = self.random.choice((f"shop.x{self.random.randrange(4)}", f"shop.x:X{self.random.randrange(4)}"))
            return replace(registry, renamed={**registry.renamed, old: new})
        if kind == "module":
            old, new = self.random.sample(("shop.m0", "shop.m1", "shop.m2", "shop.m0.sub", "shop.n0", "shop.n1"), 2)
            return move_module(registry, old, new)
        code = self.random.choice(sorted(registry.spent) or [1])
        if kind == "alias":
            return alias(registry, code, [f"{target}{self.random.choice(('', 'Alias', 'Alias'))}"])
        if kind == "move":
            return life.move(registry, code, f"{target}Moved")
        return {"promote": life.promote, "demote": life.demote, "retire": life.retire}[kind](registry, code)

    def comment(self, codes: set[int]) -> None:
        for code in codes:
            if self.random.random() < 0.5:
                lines = self.repository.text.splitlines(keepends=True)
                place = next(number for number, line in enumerate(lines) if line.startswith(f"{code} = "))
                if self.random.random() < 0.5:
                    lines[place] = lines[place].rstrip("\n") + f"  # why {code}\n"
                else:
                    lines.insert(place, f"# about {code}\n")
                self.repository.write("".join(lines))

    def switch(self, branch: str) -> None:
        if self.current != branch:
            self.repository.switch(branch)
            self.current = branch

    def work(self, branch: str) -> None:
        self.switch(branch)
        for _ in range(self.random.randint(1, 2)):
            for _ in range(self.random.randint(1, 3)):
                self.edit()
            self.repository.commit_change("work")
        if branch == "main":
            self.publish()

    def publish(self) -> None:
        """Check that main kept every promise it ever made, and remember the new ones."""
        now = rows(self.at("main"))
        for code, row in self.ledger.items():
            assert code in now, f"upstream lost code {code} ({row.target})"
            assert same_meaning(row, now[code]), f"upstream's code {code} was {row}, is {now[code]}"
        self.ledger = now
        if self.remote:
            self.repository.git("update-ref", "refs/remotes/origin/main", "main")

    # What people do to branches

    def play(self) -> None:
        one, two = next(self.names), next(self.names)
        self.repository.git("branch", one, "main")
        for branch in (one, "main"):
            self.work(branch)
        self.repository.git("branch", two, self.random.choice(("main", "main~1", one)))
        self.work(two)
        for _ in range(self.random.randint(1, 3)):
            operation = self.random.choice((self.merge, self.merge, self.rebase, self.cherry_pick, self.criss_cross))
            operation(*self.random.sample(("main", "main", one, two), 2))
            if self.random.random() < 0.5:
                self.work(self.random.choice((one, two, "main")))

    def merge(self, ours: str, theirs: str, label: str = "merge") -> bool:
        return self.attempt(label, ours, theirs, "merge", "-q", "-m", "merge", theirs)

    def rebase(self, ours: str, theirs: str) -> None:
        if ours == "main":
            ours, theirs = theirs, ours
        if ours != "main":
            self.attempt("rebase", ours, theirs, "rebase", "-q", theirs)

    def cherry_pick(self, ours: str, theirs: str) -> None:
        if self.repository.git("cat-file", "commit", theirs).stdout.count("\nparent ") == 1:
            self.attempt(
                "cherry-pick", ours, theirs, "cherry-pick", "--allow-empty", "--keep-redundant-commits", theirs
            )

    def criss_cross(self, ours: str, theirs: str) -> None:
        """Each merges the other's tip as it was, goes on working, and they merge again: two merge bases."""
        if ours == theirs:
            return
        tips = {branch: self.head(branch) for branch in (ours, theirs)}
        if self.merge(ours, tips[theirs], "criss-cross, first") and self.merge(
            theirs, tips[ours], "criss-cross, first"
        ):
            for branch in (ours, theirs):
                self.work(branch)
            self.merge(ours, theirs, "criss-cross, second")

    def head(self, branch: str) -> str:
        return self.repository.git("rev-parse", branch).stdout.strip()

    def attempt(self, label: str, ours: str, theirs: str, *command: str) -> bool:
        """Run one git command on branch `ours`; check what came of it, and take it back if it is a conflict."""
        self.switch(ours)
        before, other = self.at(ours), self.at(theirs)
        upstream = self.at("main")
        done = self.repository.git(*command, check=False)
        if done.returncode != 0 and "nothing to commit" not in done.stdout:
            assert "CONFLICT" in done.stdout + done.stderr, (command, done.stdout, done.stderr)
            self.check_conflict()
            self.figures[f"{label}: contradiction"] += 1
            self.repository.git(command[0], "--abort")
            return False
        self.check_merged(before, other, upstream, label)
        self.figures[f"{label}: {'renumbered' if 'from now on' in done.stderr else 'clean'}"] += 1
        if ours == "main":
            self.publish()
        return True

    def check_merged(self, ours: Registry, theirs: Registry, upstream: Registry, label: str) -> None:
        merged = self.repository.registry  # sound: no code twice, no target with two live codes
        found = rows(merged)
        names = {row.target for row in found.values()} | {name for row in found.values() for name in row.former}
        # A cherry-pick brings one commit, not all that its branch has.
        for side in (ours,) if label == "cherry-pick" else (ours, theirs):
            for code, row in rows(side).items():
                assert row.target in names, f"{label} lost {code} = {row.target}"
            other = theirs if side is ours else ours
            self.check_aliases(side, merged, label)
            self.check_renames(side, other, merged, label)
        for code, row in rows(upstream).items():
            held = [side.get(code) for side in (rows(ours), rows(theirs) if label != "cherry-pick" else {})]
            kept = [same_meaning(found_row, row) for found_row in held if found_row is not None]
            if any(kept) and (all(kept) or not same_meaning(*held)):  # else both agree on a move that main has not made
                assert code in found, f"{label} lost upstream's code {code} ({row.target})"
                assert same_meaning(row, found[code]), f"{label}: upstream's {code} was {row}, is {found[code]}"

    def check_aliases(self, side: Registry, merged: Registry, label: str) -> None:
        """Every alias of a side leads to the class that it led to there, and to that alone."""
        found = rows(merged)
        for code, row in rows(side).items():
            for name in row.aliases if row.state != "retired" else ():
                kept = [held for held in found.values() if name in (held.target, *held.former, *held.aliases)]
                mine = [held for held in kept if same_meaning(held, row) or row.target in (held.target, *held.former)]
                assert mine, f"{label} lost {name}, an alias of {code} = {row.target}"
                if code in merged.aliases and merged.code(name) is not None:
                    holder = found[merged.code(name)]
                    assert holder in mine, f"{label}: {name} was {row.target} and is {holder}"
                self.figures["aliases that came through a merge"] += 1

    def check_renames(self, side: Registry, other: Registry, merged: Registry, label: str) -> None:
        """Every rename of a side is there and leads as far, but for names that the other side moved back to."""
        for old, new in side.renamed.items():
            found = merged.renamed.get(old)
            if found is None:
                back = [name for name in other.renamed.values() if is_below(old, name) or is_below(name, old)]
                assert back, f"{label} lost {old} -> {new}"
                continue
            ways = {merged.current(found), merged.current(new)}
            further = other.renamed.get(old) == found  # which changed it since the ancestor
            assert found == new or len(ways) == 1 or further, f"{label}: {old} was {new} and is {found}"
            self.figures["renames that came through a merge"] += 1

    def check_conflict(self) -> None:
        """Markers stand in the file, and it has what ours had and what theirs did since the ancestor."""
        text = self.repository.text
        assert "\n<<<<<<< " in "\n" + text
        # From git processes of their own: one that runs for long has the index as it was when it first looked.
        base, ours, theirs = (rows(self.repository.at(f":{stage}")) for stage in (1, 2, 3))
        changed = (row for code, row in theirs.items() if row != base.get(code))
        for row in (*ours.values(), *changed):
            for name in (row.target, *row.aliases):
                assert f'"{name}"' in text, f"the conflict lost {name}"
        before, mine, other = (self.repository.at(f":{stage}").renamed for stage in (1, 2, 3))
        for old, new in (*mine.items(), *(other.items() - before.items())):
            assert f'"{old}" = "{new}"' in text, f"the conflict lost {old}"


def play(seeds: range, original) -> Counter[str]:
    figures: Counter[str] = Counter()
    for seed in seeds:
        folder = original.folder.with_name(f"history-{seed}")
        history = History(seed, type(original).copy(original, folder))
        try:
            history.play()
        except BaseException:
            print(f"history {seed} in {folder}")
            raise
        finally:
            history.close()
        shutil.rmtree(folder)
        figures += history.figures
        figures["histories"] += 1
    return figures


def test_no_random_history_breaks_a_promise(make_repository):
    figures = play(range(FEW), make_repository(START))
    assert figures["histories"] == FEW


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_no_history_of_a_thousand_breaks_a_promise(part, make_repository, warm_driver, capsys):
    """In parts that may run side by side; together they are a thousand."""
    original = make_repository(START)
    original.git("config", "merge.extreg.driver", f"{warm_driver} merge-driver --marker-size %L %O %A %B %P")
    original.git("config", "merge.extreg-ancestors.driver", f"{warm_driver} merge-driver --ancestors %O %A %B %P")
    first = 1_000_000 + part * MANY // PARTS
    figures = play(range(first, first + MANY // PARTS), original)
    with capsys.disabled():
        print()
        for name, count in sorted(figures.items()):
            print(f"{count:6} {name}")
