"""clear_cache and on_clear: who is told, with what, and what happens when they raise."""

import copyreg
import pickle

import pytest

import extreg

FILE = '[codes]\n240 = "collections:OrderedDict"\n500 = "decimal:Decimal"'


@pytest.fixture
def told():
    calls = []
    with extreg.on_clear(calls.append):
        yield calls


def test_clear_cache_empties_the_cache_and_tells_the_codes_concerned(write, told):
    extreg.install(write(FILE))
    pickle.loads(b"\x80\x04\x82\xf0.")
    told.clear()
    extreg.clear_cache()
    assert copyreg._extension_cache == {}
    assert told == [frozenset({240, 500})]
    assert type(told[0]) is frozenset


def test_install_reload_and_uninstall_tell_the_codes_that_changed(write, told):
    installation = extreg.install(write(FILE))
    write('[codes]\n240 = "collections:OrderedDict"\n501 = "uuid:UUID"')
    installation.reload()
    installation.uninstall()
    assert told == [{240, 500}, {500, 501}, {240, 501}]


def test_installing_twice_tells_once(write, told):
    path = write(FILE)
    extreg.install(path)
    extreg.install(path)
    assert told == [{240, 500}]


def test_as_a_decorator_it_leaves_a_callable_and_a_way_to_unsubscribe(write):
    calls = []

    @extreg.on_clear
    def forget(codes):
        calls.append(codes)

    forget(frozenset({1}))
    extreg.install(write(FILE))
    forget.unsubscribe()
    forget.unsubscribe()
    extreg.clear_cache()
    assert calls == [{1}, {240, 500}]
    assert "forget" in repr(forget)


def test_every_callback_runs_and_what_was_raised_names_the_callback(write):
    calls = []

    def broken(codes):
        raise RuntimeError("cannot forget")

    def also_broken(codes):
        raise KeyError("lost")

    with extreg.on_clear(broken), extreg.on_clear(also_broken), extreg.on_clear(calls.append):
        extreg.install(extreg.Registry())  # no code is concerned: nobody is called
        copyreg._extension_cache[5] = "x"
        with pytest.raises(extreg.CallbackError) as caught:
            extreg.clear_cache()
    assert calls == [{5}]
    assert copyreg._extension_cache == {}
    assert [(name.rpartition(".")[2], type(error)) for name, error in caught.value.failures] == [
        ("broken", RuntimeError),
        ("also_broken", KeyError),
    ]
    assert "broken: RuntimeError: cannot forget" in str(caught.value)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_an_install_whose_callback_raises_is_undone(write):
    def broken(codes):
        raise RuntimeError("no")

    with extreg.on_clear(broken), pytest.raises(extreg.CallbackError):
        extreg.install(write(FILE))
    assert copyreg._extension_registry == {}


def test_an_interrupt_in_a_callback_stays_an_interrupt(write):
    calls = []

    def interrupted(codes):
        raise KeyboardInterrupt

    with extreg.on_clear(interrupted), extreg.on_clear(calls.append):
        copyreg._extension_cache[5] = "x"
        with pytest.raises(KeyboardInterrupt):
            extreg.clear_cache()
    assert calls == [{5}]


def test_a_callback_may_unsubscribe_itself_and_others(write):
    calls = []

    def once(codes):
        calls.append("once")
        first.unsubscribe()
        second.unsubscribe()

    first = extreg.on_clear(once)
    second = extreg.on_clear(lambda codes: calls.append("second"))
    extreg.install(write(FILE))
    extreg.clear_cache()
    assert calls == ["once", "second"]
