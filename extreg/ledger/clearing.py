"""Clearing the extension cache, and telling those who keep copies of their own.

pickle's cache of loaded codes (``copyreg._extension_cache``) serves the whole process; whoever keeps classes by code
elsewhere subscribes with `on_clear`.
"""

import copyreg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_cache: "dict[int, object]" = copyreg._extension_cache  # type: ignore[attr-defined]
_inverted: "dict[int, tuple[str, str]]" = copyreg._inverted_registry  # type: ignore[attr-defined]
_subscriptions: "tuple[Subscription, ...]" = ()  # replaced as a whole, so that a callback may unsubscribe


class Subscription:
    """A callback as given to `on_clear`: still callable, and `unsubscribe` ends it.

    As a context manager it ends with the block.
    """

    __slots__ = ("__weakref__", "callback")

    def __init__(self, callback: "Callable[[frozenset[int]], object]") -> None:
        self.callback = callback

    def __call__(self, codes: "frozenset[int]") -> object:
        """Call the callback itself."""
        return self.callback(codes)

    def unsubscribe(self) -> None:
        """Do not call the callback any more.  Calling it again does nothing."""
        global _subscriptions
        _subscriptions = tuple(other for other in _subscriptions if other is not self)

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_: object) -> None:
        self.unsubscribe()

    def __repr__(self) -> str:
        return f"<extreg.on_clear({name_of(self.callback)})>"


def on_clear(callback: "Callable[[frozenset[int]], object]") -> Subscription:
    """Call `callback` with the frozenset of codes concerned whenever extreg clears the extension cache.

    That is in `clear_cache`, `install`, `reload` and `uninstall`, and by the reload watcher.  It is called in the
    thread that clears, after the cache was cleared, and not under any lock of extreg's.  Usable as a decorator; returns
    the subscription, whose ``unsubscribe()`` ends it.
    """
    global _subscriptions
    subscription = Subscription(callback)
    _subscriptions = (*_subscriptions, subscription)
    return subscription


def clear_cache(codes: "Iterable[int] | None" = None) -> None:
    """Empty pickle's extension cache, as ``copyreg.clear_extension_cache()`` does, and call the callbacks.

    They get `codes` and those that were cached; by default every code that is registered.  Raises `CallbackError`
    naming each callback that raised, after all of them were called.
    """
    concerned = frozenset(_inverted if codes is None else codes).union(_cache)
    copyreg.clear_extension_cache()
    tell(concerned)


def evict(codes: "Iterable[int]") -> None:
    """Take `codes` out of the extension cache and call the callbacks with them; see `clear_cache`."""
    codes = frozenset(codes)
    for code in codes.intersection(_cache):
        _cache.pop(code, None)
    tell(codes)


def tell(codes: "Iterable[int]") -> None:
    """Call every callback with `codes`, unless there are none; raise `CallbackError` for those that raised."""
    subscriptions = _subscriptions
    codes = frozenset(codes) if subscriptions else ()
    if not codes:
        return
    failures: list[tuple[str, BaseException]] = []
    for subscription in subscriptions:
        try:
            subscription.callback(codes)
        except BaseException as error:  # noqa: BLE001 - raised below, once every callback was called
            failures.append((name_of(subscription.callback), error))
    if failures:
        _raise(failures)


def _raise(failures: "list[tuple[str, BaseException]]") -> None:
    for _, error in failures:
        if not isinstance(error, Exception):  # an interrupt is nobody's failure
            raise error
    from extreg.errors import CallbackError

    raise CallbackError(tuple((name, error) for name, error in failures if isinstance(error, Exception))) from (
        failures[0][1]
    )


def name_of(callback: object) -> str:
    """Return ``module:qualname`` of a callback, or its repr where it has none."""
    function = getattr(callback, "__func__", callback)
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", None)
    return f"{module}:{name}" if module and name else repr(callback)
