"""jar add, check and list as processes, on a project whose classes change."""

import json

import pytest

from .conftest import Project

pytestmark = pytest.mark.once  # what objects become on each Python: test_many.py and test_objects.py

ORDER = "Order(7, [Line('a', 0.5), Line('b')])"


@pytest.fixture
def kept(project: Project) -> Project:
    """A project with an order in its jar."""
    project.dump("order.pickle", ORDER)
    done = project.run("jar", "add", "--no-redact", "--no-redact", "order.pickle")
    assert (done.returncode, done.stderr) == (0, "note: look at the records beside them, then: git add tests/jar\n")
    return project


def test_a_pickle_is_kept_with_a_record(kept: Project) -> None:
    (record,) = kept.records()
    assert record.name.startswith("shop.Order-")
    assert record.with_suffix(".pickle").read_bytes() == (kept.folder / "order.pickle").read_bytes()
    text = record.read_text(encoding="utf-8")
    for line in (
        'subject = "shop:Order"',
        "protocol = 4",
        '301 = "shop:Order"',
        'from = "order.pickle"',
        "shop:Order (code 301)",
        "    [0]: shop:Line (code 300)",
        "    [1]: shop:Line\n      .amount: 1.0",
    ):
        assert line in text
    assert (kept.jar / ".gitattributes").read_text() == "*.pickle binary\n"
    assert kept.run("jar", "check").stdout == "tests/jar: 1 pickle, as recorded\n"


def test_the_same_pickle_twice_is_there_already(kept: Project) -> None:
    (kept.folder / "other").write_bytes((kept.folder / "order.pickle").read_bytes())
    done = kept.run("jar", "add", "--no-redact", "other", "order.pickle")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("is there already, as tests/jar/shop.Order-") == 2
    assert len(kept.records()) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "amount: float = 1.0",
            "amount: float = 1.0\n    note: list = field(default_factory=list)",
            "a field of the data",
        ),
        ("self.lines = lines", "self.lines = lines\n        self.note = None", "assigned in Order.__init__"),
    ],
)
def test_a_field_that_was_added_since_is_found_though_the_pickle_loads(kept: Project, old, new, said) -> None:
    kept.change("shop.py", old, new)
    done = kept.run("jar", "check")
    assert done.returncode == 1
    assert "lacking: an object of shop:" in done.stdout
    assert f"has no note, {said}" in done.stdout
    assert "note: not there\n" in done.stdout
    assert "a default in the class answers for old objects: note = ..." in done.stdout


def test_a_slot_that_was_added_since_is_found(project: Project) -> None:
    project.dump("money.pickle", "Money(1, 'EUR')")
    assert project.run("jar", "add", "--no-redact", "money.pickle").returncode == 0
    project.change("shop.py", '__slots__ = ("amount", "currency")', '__slots__ = ("amount", "cache", "currency")')
    done = project.run("jar", "check")
    assert done.returncode == 1
    assert "an object of shop:Money has no cache, a slot: .cache" in done.stdout
    assert "fill it in __setstate__" in done.stdout


def test_a_field_that_is_missing_at_once_stays_a_finding(kept: Project) -> None:
    """Whoever adds a pickle has not said that it is right."""
    kept.change("shop.py", "self.lines = lines", "self.lines = lines\n        self.note = None")
    for record in kept.records():
        record.unlink()
        record.with_suffix(".pickle").unlink()
    done = kept.run("jar", "add", "--no-redact", "order.pickle")
    assert done.returncode == 1
    assert "has no note" in done.stderr
    assert kept.run("jar", "check").returncode == 1
    assert kept.run("jar", "check", "--update").returncode == 0
    assert kept.run("jar", "check").returncode == 0


def test_what_has_become_something_else_is_shown_as_a_tree(kept: Project) -> None:
    kept.change("shop.py", "class Order:", "class Order:\n    def __setstate__(self, state): self.count = len(state)")
    done = kept.run("jar", "check")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].endswith(".pickle: different: it has become something else")
    assert "      shop:Order" in lines
    assert "    +   .count: 2" in lines
    assert "    -   .number: 7" in lines
    found = json.loads(kept.run("jar", "check", "--format", "json").stdout)
    assert (found["version"], found["checked"]) == (1, 1)
    assert [row["kind"] for row in found["findings"]] == ["different", "lacking", "lacking"]
    done = kept.run("jar", "check", "--update")
    assert done.returncode == 0
    assert done.stdout.startswith("updated tests/jar/shop.Order-")
    assert kept.run("jar", "check").stdout == "tests/jar: 1 pickle, as recorded\n"


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("def __repr__(self): return self.nothing", "repr() of shop:Order raises AttributeError: 'Order' object has"),
        ("def __hash__(self): raise ValueError('no', object())", "hash() of shop:Order raises ValueError: ('no', <obj"),
        ("def __copy__(self): 1 / 0", "copy.copy of shop:Order raises ZeroDivisionError"),
        ("def __deepcopy__(self, memo): 1 / 0", "copy.deepcopy of shop:Order raises ZeroDivisionError"),
        ("def __reduce__(self): raise SystemExit(3)", "dumping shop:Order raises SystemExit: 3"),
    ],
)
def test_what_using_it_raises_is_found(kept: Project, method: str, said: str) -> None:
    kept.change("shop.py", "class Order:", f"class Order:\n    {method}\n")
    done = kept.run("jar", "check")
    assert done.returncode == 1
    assert said in done.stdout
    assert "0x" not in done.stdout
    assert kept.run("jar", "check", "--update").returncode == 0
    assert kept.run("jar", "check").returncode == 0


def test_a_class_that_moved_is_no_difference(kept: Project) -> None:
    kept.change("shop.py", "class Order:", "class Bill:")
    done = kept.run("jar", "check")
    assert done.returncode == 1
    assert "unloadable: it does not load: AttributeError" in done.stdout
    assert kept.run("move", "shop:Order", "shop:Bill").returncode == 0
    assert kept.run("jar", "check").stdout == "tests/jar: 1 pickle, as recorded\n"


def test_a_code_that_means_another_class_is_found(kept: Project) -> None:
    text = (kept.folder / "registry.toml").read_text()
    kept.write("registry.toml", text.replace("shop:Order", "shop:Else"))
    kept.change("shop.py", "class Order:", "class Else:")
    done = kept.run("jar", "check")
    assert done.returncode == 1
    assert "code-changed: code 301 was shop:Order, and is shop:Else now" in done.stdout


@pytest.mark.slow
def test_one_that_crashes_and_one_that_hangs_cost_only_themselves(project: Project) -> None:
    project.dump("order.pickle", ORDER)
    guard = "import os, time\nif os.environ.get('HARM'): {}"
    project.odd("crash.pickle", guard.format("os._exit(7)"))
    project.odd("hang.pickle", guard.format("time.sleep(600)"))
    project.odd("kill.pickle", guard.format("os.kill(os.getpid(), 9)"))
    names = ["crash.pickle", "hang.pickle", "kill.pickle", "order.pickle"]
    done = project.run("jar", "add", "--no-redact", *names)
    assert done.returncode == 0, done.stderr
    done = project.run("jar", "check", "--timeout", "2", "--format", "json", HARM="1")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["checked"] == 4
    said = sorted(row["message"] for row in found["findings"])
    assert said == [
        "loading it ends the process (exit code 7)",
        "loading it ends the process (signal SIGKILL)",
        "loading it hangs for more than 2 seconds",
    ]


def test_what_a_class_prints_is_no_answer(project: Project) -> None:
    project.odd("odd.pickle", "print('[\"answer\", \"x\", {}]', flush=True)\nimport os\nos.write(1, b'[]\\n')")
    done = project.run("jar", "add", "--no-redact", "odd.pickle")
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"cos\nsystem\n(S'touch hacked'\ntR.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0ctouch hacked\x85R.",
        b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93\x8c\x13open('hacked', 'w')\x85R.",
    ],
)
def test_a_hostile_pickle_runs_nothing(project: Project, data: bytes) -> None:
    (project.folder / "evil.pickle").write_bytes(data)
    done = project.run("jar", "add", "--no-redact", "evil.pickle")
    assert (done.returncode, done.stdout) == (1, "")
    assert "refers to what the registry does not hold, and nothing was added" in done.stderr
    assert not project.records()
    # Nor where somebody puts it into the jar, with a record that is all right.
    project.dump("order.pickle", ORDER)
    assert project.run("jar", "add", "--no-redact", "order.pickle").returncode == 0
    (record,) = project.records()
    record.with_suffix(".pickle").write_bytes(data)
    done = project.run("jar", "check")
    assert (done.returncode, "its pickle is not the one that the record is of" in done.stdout) == (1, True)
    from hashlib import sha256

    text = record.read_text(encoding="utf-8").splitlines()
    record.write_text(
        "\n".join(f'sha256 = "{sha256(data).hexdigest()}"' if line.startswith("sha256") else line for line in text),
        encoding="utf-8",
    )
    for option in ((), ("--update",)):
        done = project.run("jar", "check", *option)
        assert done.returncode == 1
        assert "ForbiddenGlobalError" in done.stdout
    assert not (project.folder / "hacked").exists()


def test_a_record_that_says_something_else_than_the_bytes_is_found(kept: Project) -> None:
    (record,) = kept.records()
    kept.change(
        str(record.relative_to(kept.folder)),
        "  .number: 7\n  .lines: list (2)\n    [0]: shop:Line (code",
        "  .number: 7\n  .lines: list (2)\n    [0]: harmless (code",
    )
    done = kept.run("jar", "check")
    assert done.returncode == 1
    assert "misread: [bytes] in its record is not what the bytes say" in done.stdout
    assert "    -     [0]: harmless (code 300)" in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format = 2\n", "format: expected 1, found 2"),
        ("format = 1\n", "sha256: expected a string, found None"),
        ("x", "shop.Order-"),
        (
            "format = 1\nsha256 = 'a'\nsubject = 'a'\nprotocol = true\n[bytes]\ntree = ''\n",
            "protocol: expected an integer",
        ),
        ("format = 1\nbytes = 3\n", "bytes: expected a table"),
    ],
)
def test_a_damaged_record_is_named(kept: Project, text: str, said: str) -> None:
    (record,) = kept.records()
    record.write_text(text)
    for command in ("check", "list"):
        done = kept.run("jar", command)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_a_pickle_that_is_gone_and_one_without_a_record(kept: Project) -> None:
    (record,) = kept.records()
    record.with_suffix(".pickle").rename(kept.jar / "stray.pickle")
    done = kept.run("jar", "check")
    assert done.returncode == 1
    assert "altered: its pickle is gone" in done.stdout
    assert "unknown: tests/jar/stray.pickle has no record" in done.stderr


def test_an_empty_jar_is_not_clean(project: Project) -> None:
    done = project.run("jar", "check")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no entry in the jar tests/jar" in done.stderr
    done = project.run("jar", "list")
    assert done.returncode == 0
    assert "without a sample: 4 live codes" in done.stdout


def test_single_entries_are_checked_by_name_or_file(kept: Project) -> None:
    kept.dump("money.pickle", "Money(1, 'EUR')")
    assert kept.run("jar", "add", "--no-redact", "money.pickle").returncode == 0
    money, _ = kept.records()
    for given in (money.stem, str(money), f"tests/jar/{money.stem}.pickle"):
        assert kept.run("jar", "check", given).stdout == "tests/jar: 1 pickle, as recorded\n"
    done = kept.run("jar", "check", money.stem[:-1])
    assert done.returncode == 2
    assert f"did you mean {money.stem}?" in done.stderr


def test_list_says_which_live_codes_have_no_sample(kept: Project) -> None:
    done = kept.run("jar", "list")
    assert done.returncode == 0
    assert "without a sample: 2 live codes\n  302  shop:Money\n  303  shop:Odd\n" in done.stdout
    found = json.loads(kept.run("jar", "list", "--format", "json").stdout)
    assert found["without"] == [{"code": 302, "target": "shop:Money"}, {"code": 303, "target": "shop:Odd"}]
    (entry,) = found["entries"]
    assert entry["codes"] == {"300": "shop:Line", "301": "shop:Order"}


def test_the_folder_is_a_setting(project: Project) -> None:
    project.write("pyproject.toml", '[tool.extreg]\njar = "old/pickles"\n')
    project.dump("order.pickle", ORDER)
    assert project.run("jar", "add", "--no-redact", "order.pickle").stdout.startswith("old/pickles/shop.Order-")
    assert project.run("jar", "check").returncode == 0
    assert project.run("lint", "--no-source").returncode == 0
    project.write("pyproject.toml", "[tool.extreg]\njar = 3\n")
    done = project.run("jar", "check")
    assert (done.returncode, "tool.extreg.jar: expected a string, found 3" in done.stderr) == (2, True)


def test_from_takes_so_many_for_each_code_and_target(project: Project) -> None:
    (project.folder / "cache").mkdir()
    for number in range(6):
        project.dump(f"cache/{number}.pickle", f"Money({number}, 'EUR')" if number % 2 else f"Line('a', {number})")
    project.dump("cache/order", ORDER)
    (project.folder / "cache" / "evil").write_bytes(b"cos\nsystem\n(S'touch hacked'\ntR.")
    done = project.run("jar", "add", "--no-redact", "--from", "cache", "--each", "2")
    assert done.returncode == 0, done.stderr
    assert sorted(line.split("/")[-1].rpartition("-")[0] for line in done.stdout.splitlines()) == [
        "shop.Line",
        "shop.Line",
        "shop.Money",
        "shop.Money",
        "shop.Order",
    ]
    assert "1 pickle left out: they refer to what the registry does not hold" in done.stderr


def test_files_with_many_pickles_and_with_none(project: Project) -> None:
    row = project.dump("a", "Line('a')").read_bytes() + project.dump("b", "Line('b')").read_bytes()
    (project.folder / "row").write_bytes(row)
    assert len(project.run("jar", "add", "--no-redact", "row").stdout.splitlines()) == 2
    (project.folder / "many").write_bytes(row * 51)
    done = project.run("jar", "add", "--no-redact", "many")
    assert (done.returncode, done.stdout) == (2, "")
    assert "many holds 102 pickles" in done.stderr
    (project.folder / "none").write_text("nothing\n")
    done = project.run("jar", "add", "--no-redact", "none")
    assert (done.returncode, done.stdout) == (2, "")
    done = project.run("jar", "add", "--no-redact", "missing")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    done = project.run("jar", "add", "--no-redact", ".")
    assert (done.returncode, "extreg jar add --from . --each 1" in done.stderr) == (2, True)
    assert project.run("jar", "add").returncode == 2


def test_a_row_that_shares_its_memo_is_not_taken_apart(project: Project) -> None:
    import io
    import pickle

    made = io.BytesIO()
    pickler = pickle.Pickler(made, 4)
    shared = ["x" * 10]
    pickler.dump([["a"], ["b"], shared])
    pickler.dump([shared])
    (project.folder / "row").write_bytes(made.getvalue())
    done = project.run("jar", "add", "--no-redact", "row")
    assert (done.returncode, done.stdout) == (2, "")
    assert "its pickles share a memo" in done.stderr


def test_what_comes_from_a_file_is_shown_escaped(project: Project) -> None:
    name = "a\x1b[31m\u202e.pickle"
    project.dump(name, "Line('\x1b[32m\u202e')")
    done = project.run("jar", "add", "--no-redact", name)
    assert done.returncode == 0, done.stderr
    text = project.records()[0].read_text(encoding="utf-8")
    for shown in (done.stdout, done.stderr, text):
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def test_the_registry_may_stand_before_or_after(kept: Project) -> None:
    for line in (
        ["--registry", "registry.toml", "jar", "check"],
        ["jar", "--registry", "registry.toml", "check"],
        ["jar", "check", "--registry", "registry.toml"],
    ):
        assert kept.run(*line).returncode == 0
        assert kept.run(*(part.replace("registry.toml", "none.toml") for part in line)).returncode == 2


@pytest.mark.parametrize("command", ["add", "check", "list"])
def test_help_has_examples(project: Project, command: str) -> None:
    done = project.run("jar", command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"extreg jar {command}" in done.stdout.partition("\nexamples:\n")[2]
    assert ("LOAD" in done.stdout) == (command != "list")


def test_alone_it_prints_its_help(project: Project) -> None:
    done = project.run("jar")
    assert (done.returncode, done.stdout) == (0, project.run("jar", "--help").stdout)
