"""Free-threaded builds: one install before threads start is what is supported."""

import sys
import sysconfig
import threading

import pytest

import extreg

pytestmark = pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a GIL; needs a build such as 3.14t"
)


def test_threads_dump_and_load_what_was_installed_before_they_started(write):
    import collections
    import pickle

    assert not getattr(sys, "_is_gil_enabled", lambda: True)()
    extreg.install(write('[codes]\n300 = "collections:OrderedDict"\n301 = "collections:Counter"'))
    wrong = []

    def work():
        for number in range(20_000):
            value = [collections.OrderedDict(a=number), collections.Counter(b=number)]
            data = pickle.dumps(value, 4)
            if pickle.loads(data) != value or b"\x83" not in data:
                wrong.append(number)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
