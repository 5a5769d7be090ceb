"""Cyclomatic and cognitive complexity, counted by the libraries that others count them with."""

import lizard
from complexipy import code_complexity
from lizard_languages import get_reader_for


def cyclomatic(text: str, name: str) -> int | None:
    """Return McCabe's number, summed over the functions; None where lizard does not know the language of `name`."""
    if get_reader_for(name) is None:
        return None
    functions = lizard.analyze_file.analyze_source_code(name, text).function_list
    return sum(int(function.cyclomatic_complexity) for function in functions)


def cognitive(text: str) -> int:
    """Return the cognitive complexity of Python text: that of its functions, and of what stands outside them."""
    return int(code_complexity(text).complexity)
