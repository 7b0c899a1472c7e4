"""Each code of a pack pays in pickles of what it is for, though it takes five bytes where it stands."""

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
