"""What other versions of Python, numpy and pandas wrote loads under the packs, equal to what was dumped, and works."""

import importlib
import pickle
import warnings

import pytest

import extreg
from extreg.errors import ForbiddenGlobalError

from .kept import ARCHIVES, CHANGED, LIBRARIES, Healing, archive, archives_of, packs_for, survivors, things

NEEDED = {"stdlib": (), "numpy": ("numpy",), "pandas": ("numpy", "pandas")}

# What the packs have only renames for, no live code: under the names of old, and of today for older libraries.
CODELESS = {
    "pathlib._local:Path",
    "pathlib._local:PurePath",
    "pathlib._local:WindowsPath",
    "numpy.core.numeric:_frombuffer",
    "numpy._core.numeric:_frombuffer",
    "numpy._core._multiarray_umath:add",
    "numpy._core._multiarray_umath:log",
    "numpy.exceptions:AxisError",
    "numpy.exceptions:ComplexWarning",
    "numpy.exceptions:VisibleDeprecationWarning",
    "numpy:AxisError",
    "numpy:ComplexWarning",
    "numpy:VisibleDeprecationWarning",
    "numpy:chararray",
    "numpy.char:chararray",
    "pandas._libs.tslibs.nattype:__nat_unpickle",
    "pandas._libs.tslibs.nattype:_nat_unpickle",
}


def pickles_of(path):
    """Return the library of an archive and its pickles; skip where the library is not installed."""
    provenance, _ = archive(path)
    library = provenance["library"]
    for module in NEEDED[library]:
        pytest.importorskip(module)
    if library == "pandas" and newer(provenance["version"], things(library).version()):
        pytest.skip("pandas reads what older ones wrote, not what newer ones did")
    found = list(survivors(path))
    assert len(found) > 200
    return library, found


def newer(one, other):
    return [int(part) for part in one.split(".")] > [int(part) for part in other.split(".")]


def failures(library, pickles, load):
    """Return those of `pickles` that `load` cannot make into the object that was dumped, with the reason."""
    module = things(library)
    failed = {}
    for kept in pickles:
        try:
            found = load(kept.data)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what making and comparing them warns of is no matter here
                if not module.same(found, module.THINGS[kept.of]()):
                    failed[kept] = "is another object"
        except Exception as error:
            failed[kept] = f"{type(error).__name__}: {error}"
    return failed


def marked(library):
    """Return the archives of a library as parameters: those that need one run in CI on one Python."""
    marks = [] if library == "stdlib" else [pytest.mark.once]
    return [pytest.param(path, id=path.name.removesuffix(".tar.gz"), marks=marks) for path in archives_of(library)]


every_archive = pytest.mark.parametrize("path", [row for library in LIBRARIES for row in marked(library)])


@every_archive
def test_the_rows_of_the_packs_heal_every_name(path):
    """Each warning is an error here, a DeprecationWarning of a module that has moved for instance.

    The codes are installed in any case; a code whose target this version calls otherwise is healed in the same way.
    """
    library, pickles = pickles_of(path)
    registry = packs_for(library)
    with extreg.install(registry):
        assert failures(library, pickles, lambda data: Healing(data, registry).load()) == {}


@every_archive
def test_what_was_written_by_code_needs_the_codes_alone(path):
    """Plain pickle loads it wherever no name of the other version is left in it."""
    library, pickles = pickles_of(path)
    registry = packs_for(library)
    coded = [kept for kept in pickles if kept.by == "code" and not needs_healing(kept.data, registry)]
    assert len(coded) > 50
    with extreg.install(registry):
        assert failures(library, coded, pickle.loads) == {}


def needs_healing(data, registry):
    """Whether a pickle holds a name of another version, or a code whose target this version does not have."""
    found = extreg.pickles.scan(data)
    targets = [*found.globals, *(registry.target(code) for code in found.codes)]
    return any(not is_there(target) for target in targets)


def is_there(target):
    """Whether this version has a global of that name, and does not say that it should be called otherwise."""
    module, _, name = target.partition(":")
    if module in ("__builtin__", "copy_reg"):
        return True
    try:
        return hasattr(importlib.import_module(module), name)
    except (ImportError, Warning):
        return False


@every_archive
def test_loads_with_the_packs_as_the_allow_list(path):
    """Whatever has a code in the packs loads though nothing is installed, under whichever name it was dumped."""
    library, pickles = pickles_of(path)
    registry = packs_for(library)
    held = {*registry.codes.values(), *registry.load_only.values()}
    permitted = []
    for kept in pickles:
        try:
            extreg.loads(kept.data, registry)
        except ForbiddenGlobalError as error:
            assert {registry.current(offender.target) for offender in error.offenders}.isdisjoint(held)
        else:
            permitted.append(kept)
    assert len(permitted) > 200
    assert failures(library, permitted, lambda data: extreg.loads(data, registry)) == {}


@every_archive
def test_plain_pickle_with_former_names_loads_it(path):
    """A library may warn of an old name that it still knows itself: it is asked first."""
    library, pickles = pickles_of(path)

    def load(data):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return pickle.loads(data)

    with extreg.install(packs_for(library), former_names=True):
        assert failures(library, pickles, load) == {}


@every_archive
def test_rewritten_to_codes_plain_pickle_loads_it(path):
    """But for a global that has no live code, and for protocols without codes: the former names stay there."""
    library, pickles = pickles_of(path)
    registry = packs_for(library)
    rewritten = [kept._replace(data=extreg.pickles.to_codes(kept.data, registry)) for kept in pickles]
    left = {kept for kept in rewritten if kept.protocol >= 2 and needs_healing(kept.data, registry)}
    for kept in left:
        assert {target for target in extreg.pickles.scan(kept.data).globals if not is_there(target)} <= CODELESS
    whole = [kept for kept in rewritten if kept.protocol >= 2 and kept not in left]
    assert len(whole) > 100
    with extreg.install(registry):
        assert failures(library, whole, pickle.loads) == {}


@pytest.mark.once
@pytest.mark.parametrize(("library", "version"), CHANGED)
def test_what_is_said_not_to_survive_does_not(library, version):
    """Else it would belong into the packs."""
    [path] = [path for path in archives_of(library) if path.name.startswith(f"{library}-{version}-")]
    pytest.importorskip(library)
    registry = packs_for(library)
    lost = [kept for kept in archive(path)[1] if kept.of in CHANGED[library, version] and kept.by == "name"]
    assert lost
    assert len(failures(library, lost, lambda data: Healing(data, registry).load())) == len(lost)


def test_paths_are_dumped_under_one_code_on_every_python():
    """Python 3.13 calls them otherwise, and the code is the same."""
    written = {}
    for path in archives_of("stdlib"):
        provenance, pickles = archive(path)
        for kept in pickles:
            if kept.by == "code" and kept.of in ("path", "purepath", "purewindowspath"):
                codes = tuple(extreg.pickles.scan(kept.data).codes)
                written.setdefault(kept.of, {}).setdefault(codes, set()).add(provenance["python"].rpartition(".")[0])
    assert {of: list(codes) for of, codes in written.items()} == {
        "path": [(65559,)],
        "purepath": [(65560,)],
        "purewindowspath": [(65561,)],
    }
    assert all(len(pythons) == 10 for codes in written.values() for pythons in codes.values())


def test_every_archive_says_who_wrote_it():
    assert len(ARCHIVES) == 19
    for path in ARCHIVES:
        provenance, pickles = archive(path)
        assert {"library", "version", "python", "date", "command"} <= provenance.keys()
        assert path.name.startswith(f"{provenance['library']}-{provenance['version']}")
        assert {kept.by for kept in pickles} == {"name", "code"}
