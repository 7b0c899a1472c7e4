"""Each code of a pack pays in pickles of what it is for, though it takes five bytes where it stands."""

import json
import subprocess
import sys

import pytest

from extreg.pickles import scan

from .kept import LIBRARIES, archive, archives_of, pack


@pytest.mark.parametrize("name", LIBRARIES)
def test_every_code_is_shorter_than_its_name(name):
    """Of each code some kept pickle of one protocol is shorter than the same object's by name."""
    pays = set()
    for path in archives_of(name):
        _, pickles = archive(path)
        named = {(kept.of, kept.protocol): kept.data for kept in pickles if kept.by == "name"}
        for kept in pickles:
            if kept.by == "code" and len(kept.data) < len(named[kept.of, kept.protocol]):
                pays.update(scan(kept.data).codes)
    assert set(pack(name).codes) - pays == set()


@pytest.mark.parametrize("name", LIBRARIES)
def test_by_code_is_longer_only_where_a_global_recurs(name):
    """A live code is never fetched from the memo: it takes five bytes each time, where a name takes two again."""
    for path in archives_of(name):
        _, pickles = archive(path)
        named = {(kept.of, kept.protocol): kept.data for kept in pickles if kept.by == "name"}
        for kept in pickles:
            if kept.by == "code" and len(kept.data) >= len(named[kept.of, kept.protocol]):
                assert max(scan(kept.data).codes.values()) > 4, kept


@pytest.mark.once
@pytest.mark.parametrize("name", LIBRARIES)
def test_suggest_proposes_every_code_of_a_pack(name, tmp_path):
    """The corpus is what the newest version writes under the protocol of most programs.

    `suggest` prices two-byte codes (EXT2); one of a pack takes two bytes more at each reference, and pays all the same
    for what does not recur in one pickle.
    """
    path = max(archives_of(name), key=lambda path: [int(part) for part in path.name.split("-")[1].split(".")[:2]])
    for kept in archive(path)[1]:
        if kept.by == "name" and kept.protocol == 4:
            (tmp_path / f"{kept.of}.pickle").write_bytes(kept.data)
    done = subprocess.run(
        [sys.executable, "-m", "extreg", "suggest", "--format", "json", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    prices = {}
    for item in report["proposals"]:
        wider = {"EXT1": 3, "EXT2": 2}[item["opcode"]]
        prices[item["target"]] = item["saved"] - wider * item["references"]
    registry = pack(name)
    worth = {
        target: max(prices.get(known, 0) for known in registry.names(target)) for target in registry.codes.values()
    }
    # Of paths suggest knows that they have another name in 3.13; the pack has that as an alias.
    dear = {target for target, bytes_saved in worth.items() if bytes_saved <= 0}
    assert dear == {target for target in registry.codes.values() if report["passed"].get(target) == "drifting-target"}
