"""A registry as a value: what it refuses, whoever made it."""

import pytest

import extreg
from extreg import Registry, RegistryError
from extreg.registry.ranges import Range


@pytest.mark.parametrize(
    ("tables", "where"),
    [
        ({"codes": {1000: "a:B", "2": "c:D"}}, "codes.2"),
        ({"codes": {None: "a:B", 2: "c:D"}}, "codes.None"),
        ({"codes": {"x": "a:B", (): "c:D"}}, "codes.x"),
        ({"codes": {2.5: "a:B"}}, "codes.2.5"),
        ({"codes": {True: "a:B"}}, "codes.True"),
        ({"codes": {5: 6}}, "codes.5"),
        ({"load_only": {0: "a:B"}}, "load-only.0"),
        ({"retired": {5: "a.B"}}, "retired.5"),
        ({"codes": {5: "a:B"}, "moved": {"6": ("x:Y",), 5: ("x:Y",)}}, "moved.6"),
        ({"include": (3,)}, "include"),
        ({"codes": {5: "a:B"}, "aliases": {5: ["x:Y"]}}, "aliases.5"),
        ({"codes": {5: "a:B"}, "aliases": {6: ("x:Y",)}}, "aliases.6"),
        ({"renamed": {"a": "b:C"}}, "renamed.a"),
        ({"renamed": {"a": 5}}, "renamed.a"),
        ({"ranges": {"x": 3}}, "ranges.x"),
        ({"ranges": {"x": Range(first=1, last=9), 7: Range(first=10, last=19)}}, "ranges.7"),
        ({"reducers": {1: "a:b", "x:y": 2}}, "reducers.1"),
    ],
    ids=str,
)
def test_what_no_file_could_say_is_refused_by_its_place(tables, where) -> None:
    with pytest.raises(RegistryError) as caught:
        Registry(**tables)
    assert where in [problem.where for problem in caught.value.problems]


def test_a_registry_that_cannot_be_read_is_our_error(tmp_path) -> None:
    with pytest.raises(extreg.UnreadableError, match="No such file") as caught:
        Registry.load(tmp_path / "missing.toml")
    assert isinstance(caught.value, extreg.ExtregError)
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(extreg.UnreadableError, match="that is a folder, where a registry file is expected"):
        Registry.load(tmp_path / "folder.toml")
    (tmp_path / "latin.toml").write_bytes(b"format = 1 # \xe9")
    with pytest.raises(RegistryError, match="not UTF-8"):
        Registry.load(tmp_path / "latin.toml")
