"""`bakeoff.run` and `bakeoff.check` pass on what the commands pass on, and the example notebooks run."""

import inspect
from pathlib import Path
from types import SimpleNamespace

import bakeoff
import nbformat
import numpy as np
import pytest
from bakeoff import api
from bakeoff.cli.run import run_backends
from bakeoff.common.errors import InputError
from nbclient import NotebookClient

from tests.paths import ROOT, SAVED_RUN

NOTEBOOKS = ROOT / "docs" / "notebooks"


class Begun(Exception):
    """Raised in place of a run, with its request."""


@pytest.fixture
def request_of(monkeypatch):
    """Return a function that returns the request which `bakeoff.run` makes."""

    def begin(request):
        raise Begun(request)

    monkeypatch.setattr(api.start, "begin", begin)

    def call(*arguments, **options):
        with pytest.raises(Begun) as ended:
            bakeoff.run(*arguments, **options)
        return ended.value.args[0]

    return call


def test_the_defaults_are_those_of_the_command(request_of):
    request = request_of()
    defaults = {name: each.default for name, each in inspect.signature(run_backends).parameters.items()}
    assert request.device == defaults["device"]
    assert request.threads == defaults["threads"]
    assert request.quick == defaults["quick"]
    assert request.parent == Path("results")
    assert request.wanted is None
    assert request.pythons == ()


def test_options_reach_the_request(request_of, tmp_path):
    request = request_of(backends=["numpy_plain", "b:c"], quick=True, budget="2m", results=tmp_path, python="/p")
    assert request.wanted == "numpy_plain,b:c"
    assert request.quick
    assert request.budget_s == 120
    assert request.parent == tmp_path
    assert request.pythons == (Path("/p"),)


def test_an_unknown_option_is_named():
    with pytest.raises(TypeError, match="no option qick"):
        bakeoff.run(qick=True)


def test_arrays_become_a_file_of_their_content(request_of, tmp_path):
    x, y = np.arange(12.0).reshape(6, 2), [0, 1, 0, 1, 0, 1]
    sources = [request_of(data=(x, y), results=tmp_path).spec.data.source for _ in range(2)]
    assert sources[0] == sources[1]
    with np.load(sources[0]) as saved:
        assert saved["x"].tolist() == x.tolist()
        assert saved["y"].tolist() == y
    assert request_of(data=(x + 1, y), results=tmp_path).spec.data.source != sources[0]


@pytest.mark.parametrize("data", [7, (1, 2, 3), ([object()], [0])])
def test_what_is_no_pair_of_arrays_is_an_input_error(data, tmp_path):
    with pytest.raises(InputError, match="data: expected"):
        bakeoff.run(data=data, results=tmp_path)


def test_a_check_result_says_what_could_not_be_checked(monkeypatch):
    monkeypatch.setattr(api, "carry_out_checks", lambda *_: ({}, {"a:b": "needs <Python>"}, False))
    result = bakeoff.check("a:b", progress=False)
    assert not result.passed
    assert result.unable == {"a:b": "needs <Python>"}
    assert "needs &lt;Python&gt;" in result._repr_html_()


def test_a_check_passes_where_no_required_check_failed(monkeypatch):
    monkeypatch.setattr(api, "carry_out_checks", lambda *_: ({"a:b": SimpleNamespace(outcomes=[])}, {}, False))
    monkeypatch.setattr(api.found_records, "records", lambda found: api.pd.DataFrame())
    assert bakeoff.check().passed


def test_load_is_the_loaded_run():
    assert bakeoff.load(SAVED_RUN).header["format"] == 2


def test_only_the_interface_is_an_attribute():
    assert {"check", "load", "run"} <= set(dir(bakeoff))
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        bakeoff.lode  # noqa: B018  # the access is the test


def execute(name):
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(ROOT)}}).execute()
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def test_the_notebook_that_reads_a_run_can_be_executed():
    outputs = execute("read-a-run")
    text = str(outputs)
    assert "jax_pure:scan is the fastest" in text
    assert sum("vegaEmbed" in output.get("data", {}).get("text/html", "") for output in outputs) == 2


@pytest.mark.conformance
def test_the_notebook_that_measures_can_be_executed():
    text = str(execute("measure-your-own-arrays"))
    assert "numpy_plain:plain takes" in text
    assert "arrays-" in text


def test_notebooks_are_committed_without_outputs():
    for path in NOTEBOOKS.glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        assert not any(cell.get("outputs") for cell in cells), path
