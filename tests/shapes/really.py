"""Run in a process of its own: ``dump FOLDER`` or ``load FOLDER``, with a JSON list of jobs on stdin.

``dump`` makes an object of each module and writes its pickle in hexadecimal, ``load`` loads it and says what is raised,
or the repr of what came of it.
"""

import importlib
import json
import pickle
import sys


def outcome(module: str, data: str, use: str) -> str:
    try:
        it = pickle.loads(bytes.fromhex(data))
        return repr(eval(use, vars(importlib.import_module(module)), {"it": it}))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main() -> None:
    what, folder = sys.argv[1:]
    sys.path.insert(0, folder)
    answers = []
    for job in json.load(sys.stdin):
        module = importlib.import_module(job["module"])
        if what == "dump":
            answers.append(pickle.dumps(eval(job["make"], vars(module)), job["protocol"]).hex())
        else:
            answers.append(outcome(job["module"], job["data"], job["use"]))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
