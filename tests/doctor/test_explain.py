"""From the error that a worker raised to the process that lacks the code."""

import pickle

import pytest

import extreg

PROGRAM = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
import extreg
from shop import Order

def loads(data):
    import pickle
    return pickle.loads(data)

if __name__ == "__main__":
    import pickle
    extreg.install()
    data = pickle.dumps(Order(1))
    context = get_context("spawn")
    try:
        if sys.argv[1] == "pool":
            with context.Pool(1) as pool:
                pool.apply(loads, (data,))
        else:
            with ProcessPoolExecutor(1, mp_context=context) as executor:
                executor.submit(loads, data).result()
    except ValueError as error:
        print(extreg.explain(error))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "process"), [("pool", "a child of multiprocessing"), ("", "a worker of an executor")])
def test_the_process_that_lacks_the_code(environment, kind: str, process: str) -> None:
    (environment.project / "program.py").write_text(PROGRAM)
    said = environment.run("program.py", kind).stdout
    assert said.startswith("extension code 300 is shop:Order in this process (")
    assert f"by its traceback it is {process} that lacks the code: give it initializer=" in said
    assert said.endswith("says which have the codes\n")


@pytest.mark.parametrize(
    ("line", "process"),
    [
        ('File "/x/celery/worker/consumer/consumer.py", line 5', "a Celery worker"),
        ('File "/x/distributed/protocol/pickle.py", line 5', "a Dask worker or scheduler"),
        ('File "/x/joblib/externals/loky/process_executor.py", line 5', "a worker of loky"),
    ],
)
def test_an_engine_is_known_by_its_traceback(line: str, process: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    error = ValueError("unregistered extension code 4711")
    error.__cause__ = RuntimeError(f"Traceback:\n  {line}\n")
    assert f"it is {process} that lacks the code" in extreg.explain(error)


def test_of_an_error_of_this_process_no_other_is_blamed(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="4711") as caught:
        pickle.loads(b"\x80\x04\x83\x67\x12.")
    said = extreg.explain(caught.value)
    assert "by its traceback" not in said
    assert "extreg doctor starts a process of each kind" in said
