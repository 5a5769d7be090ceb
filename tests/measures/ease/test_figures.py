"""The figures of a file: their values, counted by hand, and how they are recorded."""

import json
import re
import textwrap

import pandas as pd
from bakeoff.measures.ease import figures as declared
from bakeoff.measures.ease.count import count_file
from bakeoff.measures.ease.measure import measure
from bakeoff.measures.ease.tables import read
from bakeoff.registry import entries

from tests.measures.ease.models import MODELS


def figures(tmp_path, source, name="model.py", framework=("torch",)):
    (tmp_path / name).write_text(source, encoding="utf-8")
    counted = count_file(tmp_path / name, framework)
    return {figure.name: value for figure, value in counted.figures().items()}


# The numbers themselves, counted by hand

PLAIN = """
def f(x):
    if x and x > 1:
        return [y for y in x if y]
    for y in x:
        while y:
            y -= 1
    else:
        pass
    return x
"""


def test_complexity_is_what_mccabe_and_campbell_count(tmp_path):
    found = figures(tmp_path, PLAIN)
    # One, and a path each for: if, and, the comprehension's for and if, for, while.
    assert found["cyclomatic_complexity"] == 7
    # if 1, and 1, the comprehension's for 2 as it is nested, its if 1, for 1, while 2. A loop's else is free.
    assert found["cognitive_complexity"] == 8


def test_logical_lines_are_statements_and_the_lines_that_open_a_block(tmp_path):
    assert figures(tmp_path, PLAIN)["logical_lines"] == 9
    assert figures(tmp_path, "x = 1; y = 2\n")["logical_lines"] == 2
    assert figures(tmp_path, '"""Words."""\n\n\n@f\ndef g():\n    """Words."""\n')["logical_lines"] == 3


def test_nodes_are_those_of_the_tree_without_reading_and_writing(tmp_path):
    # Module, Assign, Name, BinOp, Name, Add, Constant.
    assert figures(tmp_path, "x = y + 1\n")["nodes"] == 7


def test_attributes_are_those_of_values_that_are_neither_pythons_nor_the_files(tmp_path):
    source = """
        import math
        import torch
        from torch import nn

        class Net(nn.Module):
            depth = 3

            def __init__(self):
                self.kernel = torch.zeros(3).to("cpu").T

            def forward(self, x):
                return x.mean() + self.kernel + self.depth + self.device

        class Plain:
            def read(self):
                return self.set_elsewhere

        rows = []
        rows.append(Net().forward(math.pi).item())
        """
    (tmp_path / "model.py").write_text(textwrap.dedent(source))
    assert count_file(tmp_path / "model.py", ("torch",)).attributes == ("T", "device", "item", "mean", "to")


# Other languages

JAVA = """
/** A model. */
class Model {
    int size(int x) { // not so large
        if (x > 0 && x < 3) { return 1; }
        return "a string \\n of one token".length();
    }
}
"""


def test_tokens_and_cyclomatic_complexity_are_counted_in_other_languages(tmp_path):
    found = figures(tmp_path, JAVA, "Model.java")
    assert found["cyclomatic_complexity"] == 3
    assert found["tokens"] == len(re.findall(r'"[^"]*"|&&|\w+|[^\w\s]', re.sub(r"/\*.*?\*/|//.*", "", JAVA)))
    counted = {name for name, value in found.items() if value is not None}
    assert counted == {"logical_lines", "tokens", "cyclomatic_complexity", "api_names", "concepts"}
    # The headers of the class and of the method, if, and two times return.
    assert found["logical_lines"] == 5


def test_nothing_is_counted_in_a_file_without_a_lexer(tmp_path):
    assert set(figures(tmp_path, "layer { }\n", "model.prototxt").values()) == {None}
    assert list(count_file(tmp_path / "model.prototxt", ()).measured()) == []


# Records

ENTRIES = entries.read_all()


def test_every_declared_figure_is_measured_with_its_declared_keys():
    counted = count_file(*MODELS["pytorch"])
    measured = list(measure(ENTRIES["pytorch"]))
    assert ("idiomatic", 391) in {(keys.get("variant"), value) for _, value, keys in measured}
    counts = {figure: value for figure, value, keys in measured if "variant" not in keys}
    counts.pop(declared.CHANGE)
    assert counts == counted.figures()
    # A figure says why not, where the code cannot be counted: see tests/runner/test_comparison.py.
    assert {figure for figure, *_ in measured} == set(declared.FIGURES) - {declared.FAILED}
    records = [figure.record(value, **keys) for figure, value, keys in measured]
    assert {record["backend"] for record in records} == {"pytorch"}
    keys_of = {figure: keys for figure, _, keys in measured if "variant" not in keys}
    assert keys_of[declared.API_NAMES]["names"] == list(counted.api_names)
    assert ["gradients set to zero", 48] in keys_of[declared.CONCEPTS]["found"]
    assert json.loads(json.dumps(records)) == records


def test_a_change_that_is_not_possible_is_recorded_without_a_value():
    measured = measure(ENTRIES["numpy_plain"])
    changes = {keys["change"]: (value, keys) for figure, value, keys in measured if figure is declared.CHANGE}
    value, keys = changes["gpu"]
    assert (value, keys["answer"]) == (None, "not possible")
    assert "caller" not in keys
    value, keys = changes["float64"]
    assert (value, keys["answer"], keys["names"]) == (4, "patch", ["numpy.float64"])


def test_the_figures_are_read_back_as_a_table_with_a_row_for_each_backend():
    names = ["pytorch", "numpy_plain"]
    records = pd.DataFrame(
        [figure.record(value, **keys) for name in names for figure, value, keys in measure(ENTRIES[name])]
    )
    table = read(records)
    assert list(table.index) == names
    for name in names:
        for figure, value in count_file(*MODELS[name]).figures().items():
            assert table.loc[name, figure.name] == value
    assert table.loc["numpy_plain", "change: float64"] == 4
    assert pd.isna(table.loc["numpy_plain", "change: gpu"])
    assert read(records[records["measure"].eq("speed")]).empty
