"""Other ways to write the steps of pytensor_plain's model.py.

https://pytensor.readthedocs.io/en/latest/faq.html
https://pytensor.readthedocs.io/en/latest/library/scan.html
"""

import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.graph.replace import clone_replace
from pytensor.link.vm import VMLinker


def compiled_by(function):
    """Return a way to prepare the loop with another function in place of pytensor.function."""

    def prepare(bare, model, *given):
        own = pytensor.function
        pytensor.function = lambda *arguments, **more: function(own, *arguments, **more)
        return bare.prepare(model, *given)

    return prepare


def not_trusted(function, *arguments, trust_input, **more):
    return function(*arguments, **more)


def given_back(function, *arguments, **more):
    linker = VMLinker(use_cloop=True, allow_gc=True)
    return function(*arguments, mode=Mode(linker, "fast_run"), **more)


def scanned(function, inputs, loss, updates, **more):
    (rows,) = inputs
    order = pt.lmatrix("order")
    variables, following = zip(*updates)

    def step(rows_of_step, *values):
        return clone_replace([loss, *following], {rows: rows_of_step, **dict(zip(variables, values))})

    losses, *after = pytensor.scan(step, sequences=[order], outputs_info=[None, *variables], return_updates=False)
    return function([order], losses, updates=[(old, new[-1]) for old, new in zip(variables, after)], **more)


def by_scan(bare, model, *given):
    model.train = lambda steps, order: steps(order)
    return compiled_by(scanned)(bare, model, *given)


IDIOMS = {
    "c": {
        "the rows of a step checked": compiled_by(not_trusted),
        "intermediate results given back": compiled_by(given_back),
        "one scan for all the steps": by_scan,
    },
    "numba": {
        "the rows of a step checked": compiled_by(not_trusted),
        "one scan for all the steps": by_scan,
    },
}
