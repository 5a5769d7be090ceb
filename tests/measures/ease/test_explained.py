"""A file explained, and the command `bakeoff ease`."""

import io
import json
import re
import sys

import pytest
from bakeoff.cli import app
from bakeoff.measures.ease.count import count_file
from bakeoff.measures.ease.explained import explain_file
from bakeoff.measures.ease.measure import rules_of
from bakeoff.registry import entries
from bakeoff.report.terminal.ease import HEADINGS, measure_backends, print_ease
from rich.console import Console

from tests.measures.ease.models import MODELS, each_model, text_of

# The file explained


@each_model
def test_an_explained_file_is_the_file_with_as_many_tokens_as_were_counted(name):
    lines = explain_file(*MODELS[name])
    assert "\n".join(line.text for line in lines) + "\n" == text_of(name)
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert sum(line.tokens for line in lines) == count_file(*MODELS[name]).tokens


def test_an_explained_file_tells_counted_from_free_and_the_frameworks_from_the_authors(tmp_path):
    source = (
        '"""Words, ê."""\nfrom torch import nn\n\n'
        'x = (nn.Linear(1, eps=2,))  # a layer\ny = "é" + x.detach() ; z = """a\nb"""\n'
    )
    (tmp_path / "model.py").write_text(source, encoding="utf-8")
    lines = explain_file(tmp_path / "model.py", ("torch",))
    kinds = {
        kind: [piece.text for line in lines for piece in line.pieces if piece.kind == kind]
        for kind in ("counted", "name", "attribute", "free")
    }
    assert kinds["name"] == ["nn", ".", "Linear"]
    assert kinds["attribute"] == ["detach"]
    assert "".join(kinds["free"]).split() == ['"""Words,', 'ê."""', "(", ",)", "#", "a", "layer", ";"]
    assert '"é"' in kinds["counted"]
    assert kinds["counted"][-2:] == ['"""a', 'b"""']
    assert [(line.number, line.notes) for line in lines if line.notes] == [
        (1, ("gradient by hand: no gradient is requested",)),
        (4, ("overrides a default: eps=2",)),
        (5, ("gradient switched off: .detach",)),
    ]


# The command


@pytest.fixture
def bakeoff(monkeypatch, capsys):
    """Return `bakeoff ease`: bakeoff(*arguments) gives its exit code, standard output and standard error."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["bakeoff", "ease", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
        return ended.value.code or 0, *capsys.readouterr()

    return call


def test_the_command_shows_every_figure_of_every_backend(bakeoff):
    code, out, _ = bakeoff("--full")
    assert code == 0
    for name, model in MODELS.items():
        row, *_ = [line.split()[1:] for line in out.splitlines() if line.split()[:1] == [name]]
        counted = count_file(*model, rules_of(entries.read_all()[name]))
        assert [int(cell.replace(",", "")) for cell in row] == [counted.figures()[figure] for figure in HEADINGS]
    assert re.search(r"gradients set to zero +.*pytorch 48\b", out)


@pytest.mark.parametrize("full", [False, True], ids=["comparison", "full"])
def test_nothing_is_cut_on_a_terminal_of_80_columns(full):
    file = io.StringIO()
    results = measure_backends(entries.read_all(), with_lines=False)
    print_ease(Console(file=file, width=80, force_terminal=True, color_system=None, _environ={}), results, full)
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("\N{HORIZONTAL ELLIPSIS}" in line for line in lines)
    first = dict(reversed([(cells[0], cells[1:]) for cells in map(str.split, lines) if cells]))
    assert all(f"{each.ease.tokens:,}" in first[name] for name, each in results.items())
    if full:
        assert sum("not possible" in line for line in lines) > 5
    else:
        assert len(lines) <= 30
        assert "4 more columns, and the rest: add --full" in lines


def test_the_command_begins_with_the_figures_alone(bakeoff):
    code, out, _ = bakeoff()
    assert code == 0
    assert "gradients set to zero" not in out
    assert "add --full" in out
    # Two tables, and four variants with a file of their own.
    assert len(out.splitlines()) <= 10 + 2 * len(entries.read_all()) + 4


def test_the_command_prints_json(bakeoff):
    code, out, _ = bakeoff("pytorch", "--json")
    shown = json.loads(out)["pytorch"]
    assert (code, shown["figures"]) == (
        0,
        {figure.name: value for figure, value in count_file(*MODELS["pytorch"]).figures().items()},
    )
    assert {"what": "optimiser stepped", "line": 50, "text": ".step"} in shown["concepts"]
    assert "lines" not in shown


def test_the_command_explains_one_file(bakeoff):
    code, out, _ = bakeoff("pytorch", "--explain")
    assert code == 0
    assert "\x1b" not in out
    assert re.search(r"^  48   5 +optimiser\.zero_grad\(\)  <- gradients set to zero: \.zero_grad$", out, re.MULTILINE)
    _, out, _ = bakeoff("pytorch", "--explain", "--json")
    lines = json.loads(out)["pytorch"]["lines"]
    assert lines[47]["tokens"] == 5
    assert {"text": "zero_grad", "kind": "attribute"} in lines[47]["pieces"]


@pytest.mark.parametrize("names", [(), ("pytorch", "numpy_plain")])
def test_the_command_explains_no_more_than_one(bakeoff, names):
    code, _, err = bakeoff(*names, "--explain")
    assert code == 2
    assert "expected one backend" in err
