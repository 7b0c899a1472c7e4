"""The errors: facts as attributes, a builtin base where callers have one, and pickles that come back."""

import pickle

import pytest

import extreg
from extreg import errors

ERRORS = [
    errors.ExtregError("what", "hint"),
    errors.UnreadableError("what"),
    errors.WrittenError("registry.toml", "the disk is gone", ('5 = "m:C"',)),
    errors.AllocationError("what", "hint"),
    errors.RegistryError((errors.Problem("codes.5", "is wrong", "mend it", "registry.toml", 7),)),
    errors.ConflictError((errors.Conflict(5, "m:C", "5 = m:C", "here", "5 = m:D", "there", "extreg demote 5"),)),
    errors.ReducerError("what", ("registry.toml:31",)),
    errors.MigrationError("what"),
    errors.StateVersionError("shop:Order", 3, 2, "upgrade"),
    errors.RetiredCodeError(9120, "shop.legacy:Cart", "registry.toml:31", "ask it"),
    errors.MalformedPickleError("what", 3),
    errors.ForbiddenGlobalError((errors.Offender("m:C", (5, 7), "m:C", "extreg add m:C"),)),
]

CALLBACKS = errors.CallbackError((("shop:forget", RuntimeError("no")),))


def test_all_errors_are_here() -> None:
    made = {type(error) for error in (*ERRORS, CALLBACKS)}
    found = {thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, Exception)}
    assert made >= {thing for thing in found if thing.__module__ == errors.__name__}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_comes_back_from_a_pickle(error: errors.ExtregError) -> None:
    """Process pools hand errors on like this."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(error, protocol))
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)


def test_what_callbacks_raised_comes_back_from_a_pickle() -> None:
    """By its text: exceptions have no equality."""
    again = pickle.loads(pickle.dumps(CALLBACKS))
    assert str(again) == str(CALLBACKS)
    assert [(name, repr(error)) for name, error in again.failures] == [("shop:forget", "RuntimeError('no')")]


def test_what_callers_already_catch() -> None:
    assert issubclass(errors.ConflictError, ValueError)
    for error in ERRORS:
        assert isinstance(error, extreg.ExtregError)


def test_the_hint_is_part_of_the_text() -> None:
    assert str(ERRORS[0]) == "what\nhint: hint"
    assert str(ERRORS[1]) == "what"
    assert str(errors.MalformedPickleError("what", 3)) == "what (at byte 3)"
