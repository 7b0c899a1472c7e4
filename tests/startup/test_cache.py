"""The start-up cache: fast when it may be trusted, and never in the way when it may not."""

import copyreg
import marshal
import os
import random
import shutil
import subprocess
import sys

import pytest

import extreg
from extreg.ledger import explaining
from extreg.startup import CHECKSUM, HEADER, cache_path, checksum, load_entries, read, sealed
from extreg.startup.cache import entries

FILE = """
[codes]
240 = "collections:OrderedDict"
500 = "decimal:Decimal"
[load-only]
501 = "fractions:Fraction"
[moved]
500 = ["old:Decimal"]
[retired]
502 = "old:Thing"
[ranges.mine]
first = 70000
last = 70009
modules = ["mine"]
"""


@pytest.fixture(autouse=True)
def caches_are_written(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)


@pytest.fixture
def parsed(monkeypatch):
    """The files that went through the parser."""
    from extreg.startup import rows

    files = []
    original = rows.parse
    monkeypatch.setattr(rows, "parse", lambda raw, path: files.append(path) or original(raw, path))
    return files


def cache_of(path):
    return path.parent.joinpath("__pycache__", f"registry.{sys.implementation.cache_tag}.extreg")


def test_the_second_start_parses_nothing_and_gives_the_same_rows(write, parsed):
    path = write(FILE)
    cold = read(str(path))
    assert len(parsed) == 1
    assert cache_of(path).is_file()
    warm = read(str(path))
    assert len(parsed) == 1
    assert warm == cold
    with extreg.install(path) as installation:
        assert installation.registry == extreg.Registry.load(path)


def test_any_change_of_the_source_is_noticed_with_the_same_size_and_times(write, parsed):
    path = write(FILE)
    status = path.stat()
    read(str(path))
    path.write_text(path.read_text().replace("decimal:Decimal", "decimal:Context"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    assert read(str(path))[0].inverted[500] == ("decimal", "Context")
    assert len(parsed) == 2


def test_a_changed_include_is_noticed_and_the_unchanged_file_is_not_parsed_again(write, tmp_path, monkeypatch, parsed):
    monkeypatch.syspath_prepend(str(tmp_path))
    theirs = write('[codes]\n40000 = "paylib:Card"', "paylib/registry.toml")
    path = write('include = ["paylib"]\n[codes]\n300 = "a:B"')
    read(str(path))
    assert parsed == [str(path), str(theirs)]
    assert len(read(str(path))) == 2
    theirs.write_text('format = 1\n[codes]\n40001 = "paylib:Card"')
    assert read(str(path))[1].inverted == {40001: ("paylib", "Card")}
    assert parsed == [str(path), str(theirs), str(theirs)]


def test_an_include_that_is_found_elsewhere_is_noticed(write, tmp_path, monkeypatch):
    write('[codes]\n40000 = "paylib:Card"', "one/paylib/registry.toml")
    write('[codes]\n40000 = "paylib:Bank"', "two/paylib/registry.toml")
    path = write('include = ["paylib"]')
    monkeypatch.syspath_prepend(str(tmp_path / "one"))
    assert read(str(path))[1].inverted == {40000: ("paylib", "Card")}
    monkeypatch.syspath_prepend(str(tmp_path / "two"))
    assert read(str(path))[1].inverted == {40000: ("paylib", "Bank")}


def test_a_file_that_became_invalid_raises_though_its_cache_was_good(write):
    path = write(FILE)
    read(str(path))
    path.write_text("format = 1\n[codes]\n240 = 7")
    with pytest.raises(extreg.RegistryError):
        read(str(path))


def test_no_cache_is_written_when_python_writes_no_bytecode(write, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    path = write(FILE)
    read(str(path))
    assert not cache_of(path).exists()


def test_the_cache_goes_where_bytecode_goes(write, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "prefix"))
    path = write(FILE)
    read(str(path))
    place = cache_path(str(path))
    assert place.startswith(str(tmp_path / "prefix"))
    assert os.path.isfile(place)
    assert not (tmp_path / "__pycache__").exists()


def test_without_a_place_for_the_cache_the_start_is_cold_and_silent(write, parsed, capfd):
    path = write(FILE)
    (path.parent / "__pycache__").write_text("a file in the way")  # as read-only folders are, also for root
    assert read(str(path)) == read(str(path))
    assert len(parsed) == 2
    assert capfd.readouterr() == ("", "")


def test_a_cache_that_others_may_write_is_not_trusted(write, parsed):
    path = write(FILE)
    read(str(path))
    cache_of(path).chmod(0o666)
    read(str(path))
    assert len(parsed) == 2
    assert cache_of(path).stat().st_mode & 0o022 == 0  # it was replaced by one that is


def test_a_cache_of_another_version_is_not_trusted(write, parsed):
    path = write(FILE)
    read(str(path))
    data = cache_of(path).read_bytes()
    cache_of(path).write_bytes(data.replace(b"extreg 0", b"extreg 9", 1))
    read(str(path))
    assert len(parsed) == 2


def test_a_cache_that_says_something_else_than_marshal_is_never_decoded(write, parsed):
    """A payload is decoded only after its checksum was compared; one made by hand needs our own code to make it."""
    path = write(FILE)
    layers = read(str(path))
    payload = marshal.dumps([(b"another source", {("os", "system"): 240}, {}, {}, {}, {})])
    cache_of(path).write_bytes(HEADER + checksum(payload) + payload)
    assert read(str(path)) == layers
    cache_of(path).write_bytes(HEADER + b"\0" * 8 + b"garbage that marshal would choke on")
    assert read(str(path)) == layers


def test_two_files_of_one_stem_do_not_share_a_cache(write, parsed):
    first, second = (
        write('[codes]\n300 = "a:B"', "one/registry.toml"),
        write('[codes]\n300 = "c:D"', "two/registry.toml"),
    )
    read(str(first))
    read(str(second))
    shutil.copy(cache_of(first), cache_of(second))  # swapped
    assert read(str(second))[0].inverted == {300: ("c", "D")}


def corrupted(data, rng, others):
    """Return `data` damaged in one of the ways in which files get damaged."""
    kind = rng.randrange(6)
    if kind == 0:
        position = rng.randrange(len(data))
        return data[:position] + bytes([data[position] ^ 1 << rng.randrange(8)]) + data[position + 1 :]
    if kind == 1:
        return data[: rng.randrange(len(data))]
    if kind == 2:
        start = rng.randrange(len(data))
        end = min(len(data), start + rng.randrange(1, 64))
        return data[:start] + rng.randbytes(end - start) + data[end:]
    if kind == 3:
        return data + rng.randbytes(rng.randrange(1, 20))
    if kind == 4:
        return rng.choice(others)
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randrange(1, 9) :]


def corruptions(write, count):
    texts = ['[codes]\n240 = "a:B"\n300 = "c:D"', FILE, '[load-only]\n300 = "x:Y"', ""]
    path = write(texts[0])
    caches = []
    for text in texts:
        path = write(text)
        read(str(path))
        caches.append(cache_of(path).read_bytes())
    rng = random.Random(2026)
    trusted = 0
    for number in range(count):
        chosen = rng.randrange(len(texts))
        path = write(texts[chosen])
        damaged = corrupted(caches[chosen], rng, caches)
        cache_of(path).write_bytes(damaged)
        trusted += damaged == caches[chosen]
        with extreg.install(path) as installation:
            expected = extreg.Registry.load(path)
            assert installation.registry == expected, f"corruption {number}"
            assert copyreg._inverted_registry == {
                code: tuple(target.split(":"))
                for rows in (expected.codes, expected.load_only)
                for code, target in rows.items()
            } | explaining({code: tuple(target.split(":")) for code, target in expected.retired.items()})
        assert cache_of(path).read_bytes() == caches[chosen]  # rebuilt
    return trusted


@pytest.mark.slow
def test_a_corrupted_cache_never_changes_what_is_installed(write):
    corruptions(write, 300)


@pytest.mark.soak
def test_ten_thousand_corrupted_caches_never_change_what_is_installed(write):
    corruptions(write, 10_000)


@pytest.mark.slow
def test_concurrent_starters_do_not_disturb_each_other(write):
    path = write(FILE)
    program = f"import extreg; print(len(extreg.install({str(path)!r}).registry.codes))"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
        for _ in range(12)
    ]
    for starter in starters:
        output, errors = starter.communicate()
        assert (output.strip(), errors) == (b"2", b"")
    assert [name for name in os.listdir(cache_of(path).parent) if name.startswith("registry")] == [cache_of(path).name]


def test_a_warm_start_imports_the_start_up_modules_alone(write):
    path = write(FILE)
    program = (
        "import os, sys; before = set(sys.modules); import extreg; "
        f"extreg.install({str(path)!r}); print(*sorted(set(sys.modules) - before))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}

    def start():
        line = [sys.executable, "-c", program]
        return subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout.split()

    start()
    allowed = {
        "copyreg",
        "extreg",
        "extreg.ledger",
        "extreg.startup",
    }
    assert set(start()) <= allowed


def test_compile_writes_what_a_start_would_and_check_tells(write, tmp_path):
    path = write(FILE)

    def run(*arguments):
        line = [sys.executable, "-B", "-m", "extreg", "compile", "--registry", str(path), *arguments]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    assert run("--check").returncode == 1
    assert run("--check").stdout.endswith("write it: extreg compile\n")
    done = run()
    assert (done.returncode, done.stdout) == (0, f"wrote {cache_of(path)}\n")
    assert run("--check").returncode == 0
    payload = sealed(entries([path.read_bytes()], read(str(path))))[len(HEADER) + CHECKSUM :]
    assert load_entries(str(path)) == marshal.loads(payload)  # whose bytes depend on what else the process holds
    path.write_text(path.read_text() + "\n")
    assert run("--check").returncode == 1
    path.write_text("format = 2")
    assert run("--check").returncode == 2
