"""Cyclomatic and cognitive complexity, counted by libraries in common use."""

import lizard
from complexipy import code_complexity
from lizard_languages import get_reader_for


def count_cyclomatic(text: str, name: str) -> int | None:
    """Return McCabe's number, summed over the functions; None where lizard does not support the language of `name`."""
    if get_reader_for(name) is None:
        return None
    functions = lizard.analyze_file.analyze_source_code(name, text).function_list
    return sum(int(function.cyclomatic_complexity) for function in functions)


def count_cognitive(text: str) -> int:
    """Return the cognitive complexity of Python text, inside and outside its functions."""
    return int(code_complexity(text).complexity)
