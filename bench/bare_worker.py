"""Runs a loop without the harness: each line it reads starts a slice twice; it writes the seconds of the second."""

import importlib.util
import json
import os
import sys
import time


def load(path, name):
    """Import one file by its path."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # torch.compile imports it by that name
    spec.loader.exec_module(module)
    return module


def main(config):
    if config["cores"]:
        os.sched_setaffinity(0, config["cores"])
    for variable in config["thread_variables"]:
        os.environ[variable] = str(config["threads"])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # so that what the framework prints is not read as an answer
    import numpy as np

    with np.load(config["problem"]) as problem:
        arrays = {name: problem[name] for name in problem.files}
    x, y, order = (arrays.pop(name) for name in ("x", "y", "order"))
    bare = load(config["bare"], "bare")  # first: it may set variables that the framework reads when it is imported
    model = load(config["model"], "model")
    arguments = (model, config["spec"], arrays, x, y, order, config["variant"])
    if config["idioms"]:
        run = load(config["idioms"], "idioms").IDIOMS[config["variant"]][config["idiom"]](bare, *arguments)
    else:
        run = bare.prepare(*arguments)
    for _ in sys.stdin:
        run()  # the warm-up slice: untimed, as in the harness's worker
        started = time.perf_counter()
        run()
        answers.write("%r\n" % (time.perf_counter() - started))
        answers.flush()


main(json.loads(sys.argv[1]))
