"""A failure at every single line and call of something, and what must be right after each."""

import copyreg
import sys
import threading
from collections import Counter

from extreg import importhook
from extreg.ledger import INSTALLED, ledger
from extreg.reduce import table
from extreg.startup import watch


class Injected(BaseException):
    """Raised at a chosen step; not an Exception, as KeyboardInterrupt is not."""


# Of a line that is run again and again, once for each module of the process for instance, so many rounds are steps.
ROUNDS = 3


def fail_at(step, raised):
    """Return a trace function that raises at the `step`-th line or call in extreg, and appends to `raised` that it did.

    Of each line and call only the first rounds count.
    """
    seen = 0
    rounds = Counter()

    def trace(frame, event, _):
        nonlocal seen
        name = frame.f_globals.get("__name__", "")
        if not name.startswith("extreg."):
            return None
        place = (event, frame.f_code, frame.f_lineno)
        rounds[place] += 1
        if event in {"line", "call"} and rounds[place] <= ROUNDS:
            seen += 1
            if seen == step:
                sys.settrace(None)
                raised.append(Injected(f"{event} of {name}:{frame.f_lineno} in {frame.f_code.co_name}"))
                raise raised[0]
        return trace

    return trace


def state():
    """Return all that an operation may change but the extension cache, as values that can be compared."""
    return {
        "live": dict(copyreg._extension_registry),
        "inverted": dict(copyreg._inverted_registry),
        "dispatch table": dict(copyreg.dispatch_table),
        "stacks": {
            cls: [(repr(layer.reducer), list(map(str, layer.owners))) for layer in stack.layers]
            for cls, stack in table._stacks.items()
        },
        "installed": [(str(entry._source), entry._count, len(entry._owner.layers)) for entry in INSTALLED],
        "owners": [owner.layers for owner in ledger.owners],
        "outside": (ledger.outside.live, ledger.outside.inverted),
        "stand": (ledger.stand.live, ledger.stand.inverted, ledger.stand.retired),
        "moving": ledger.moving,
        "finders": [finder for finder in sys.meta_path if finder is importhook.FINDER],
        "watches": len(importhook._watches),
        "watchers": len(watch._holders),
    }


def locked():
    """Return which locks another thread would have to wait for."""
    locks = {"ledger": ledger.lock, "importhook": importhook._lock, "table": table._lock}
    locks |= {f"reducers of {entry._source}": entry._bound._lock for entry in INSTALLED if entry._bound is not None}
    taken = []

    def try_all():
        for name, lock in locks.items():
            if lock.acquire(blocking=False):
                lock.release()
            else:
                taken.append(name)

    thread = threading.Thread(target=try_all)
    thread.start()
    thread.join()
    return taken


def comparable(found):
    """Return a state without what is another object after every run: reducers that have not been used."""
    shown = {
        cls: repr(reducer) if isinstance(reducer, table.FirstUse) else reducer
        for cls, reducer in found["dispatch table"].items()
    }
    return {**found, "dispatch table": shown}


def every_step(prepare, action, undo, *, may_be_done):
    """Prepare, run `action` with a failure at its first step, check, and undo; then with one at its second; and so on.

    A failure must leave the state as it was, or, if it `may_be_done`, as it is after a success; and `undo` must bring
    back what there was before `prepare`.  Returns how many failures were tried, and how many of them came too late.
    """
    clean = comparable(state())
    prepare()
    before = comparable(state())
    action()
    after = comparable(state())
    undo()
    assert comparable(state()) == clean
    step = late = 0
    while True:
        step += 1
        prepare()
        cache = dict(copyreg._extension_cache)
        previous = sys.gettrace()
        injected = []
        sys.settrace(fail_at(step, injected))
        try:
            action()
        except Injected as error:
            sys.settrace(previous)
            raised = str(error)
            found = comparable(state())
            same = {name for name in found if found[name] == before[name]}
            differing = {name: found[name] for name in found if name not in same}
            done = may_be_done and found == after
            assert not differing or done, f"step {step}, {error}: {differing}"
            assert copyreg._extension_cache.items() <= cache.items(), f"step {step}, {error}"
            assert locked() == [], f"step {step}, {error}"
            late += bool(differing)
        else:
            sys.settrace(previous)
            if not injected:
                undo()
                return step - 1, late
            # In a generator that is thrown away, where Python tells of it and goes on.
            raised = str(injected[0])
            assert comparable(state()) == after, f"step {step}, {raised}"
        undo()
        left = comparable(state())
        remains = {name: left[name] for name in left if left[name] != clean[name]}
        assert not remains, f"after step {step}, {raised}: {remains}"
