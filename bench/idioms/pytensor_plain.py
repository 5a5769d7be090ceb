"""Other ways to write the steps of pytensor_plain's model.py.

https://pytensor.readthedocs.io/en/latest/faq.html
https://pytensor.readthedocs.io/en/latest/library/scan.html
"""

import pytensor
from pytensor.compile.mode import Mode
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


def by_scan(bare, model, *given):
    model.by_step = model.by_scan
    return bare.prepare(model, *given)


IDIOMS = {
    "c": {
        "the rows of a step checked": compiled_by(not_trusted),
        "intermediate results given back": compiled_by(given_back),
        "one scan for all the steps": by_scan,
    },
    "numba": {
        "the rows of a step checked": compiled_by(not_trusted),
    },
}
