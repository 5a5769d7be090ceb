"""`bakeoff search` and `bakeoff study`: a whole search by the command, its files, and the messages for bad input."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import typer
from bakeoff.cli import app
from bakeoff.cluster import units
from bakeoff.common.errors import InputError
from bakeoff.environments import Environment
from bakeoff.search.ledger import Ledger
from click.testing import CliRunner

from tests.paths import ROOT
from tests.search import files

GROUP = typer.main.get_command(app.app)


@pytest.fixture
def plain_numpy_here():
    """Run the jobs of plain NumPy in the interpreter of the tests."""
    here = Environment(python=Path(sys.executable), folder=Path(sys.prefix), seconds=0, bytes=0, packages={})
    units.use_environment("numpy_plain", here)
    yield
    units.forget_environments()


@pytest.fixture
def space(tmp_path):
    path = tmp_path / "space.toml"
    path.write_text(files.THREE)
    return str(path)


def run(*words):
    """Run a command; return its exit code, its output, and the exception that it raised."""
    done = CliRunner().invoke(GROUP, list(words))
    return done.exit_code, done.stdout, done.exception


def test_a_search_writes_its_folder_and_its_tables(space, tmp_path, plain_numpy_here):
    words = ("search", space, "--backends", "numpy_plain", "--trials", "5", "--workers", "1")
    code, out, _ = run(*words, "--results", str(tmp_path), "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["complete"]
    assert len(answer["trials"]) == 5
    folder = Path(answer["folder"])
    drawn = {path.stem for path in (folder / "figures").iterdir()}
    assert drawn >= {"accuracy", "coverage", "parallel_coordinates", "price"}
    assert set(answer["importances"]) <= {"optimiser.learning_rate", "optimiser.beta1", "network.bn_epsilon"}
    size = (folder / "records.jsonl").stat().st_size
    code, out, _ = run("search", "--resume", str(folder))
    assert code == 0
    assert "5 of 5 trials" in " ".join(out.split())
    assert "trials an hour and worker" in out
    assert (folder / "records.jsonl").stat().st_size == size


def test_the_price_counts_the_whole_worker(space, tmp_path, plain_numpy_here):
    words = ("search", space, "--backends", "numpy_plain", "--trials", "1", "--results", str(tmp_path), "--json")
    answer = json.loads(run(*words)[1])
    (price,) = answer["prices"]
    (cell,) = answer["cells"]
    assert price["trials_per_hour"] == pytest.approx(3600 / cell["seconds"])
    assert 0 < price["training_share"] < 1


def test_a_file_without_a_space_is_one_model(tmp_path, plain_numpy_here):
    path = tmp_path / "panda.toml"
    path.write_text('spec.training.epochs = 2\nspec.network.hidden = [4]\nschedule = { rule = "plateau" }\n')
    code, out, _ = run("search", str(path), "--backends", "numpy_plain", "--results", str(tmp_path), "--json")
    folder = Path(json.loads(out)["folder"])
    assert code == 0
    with Ledger(folder, write=False) as ledger:
        assert len(ledger.results) == 1


def test_a_backend_of_ones_own_folder_is_searched(space, tmp_path):
    own = tmp_path / "my_numpy"
    shutil.copytree(ROOT / "backends" / "numpy_plain", own)
    words = ("search", space, "--backends", str(own), "--python", sys.executable, "--trials", "1", "--json")
    words += ("--results", str(tmp_path))
    code, out, _ = run(*words)
    assert code == 0
    (cell,) = json.loads(out)["cells"]
    assert (cell["contestant"], cell["outcome"]) == ("my_numpy:plain", "complete")
    code, _, error = run(*words, "--cluster", "tls://127.0.0.1:1")
    assert code != 0
    assert "the hosts have no backend my_numpy" in str(error)


def test_a_grid_takes_all_of_its_points_by_default(space):
    from bakeoff.cli.search import make_plan

    plan = make_plan(Path(space), "numpy_plain", "grid", None, None, None, 0, "cpu", 1, None)
    assert plan.trials == 27


def test_a_backend_stands_for_its_first_variant():
    from bakeoff.cli.search import first_variants

    entries = app_entries()
    chosen = [(entry.name, variant) for entry, variant in first_variants(None)]
    assert chosen == [(name, entry.variants[0]) for name, entry in entries.items() if entry.description.default]


def app_entries():
    from bakeoff.registry import entries

    return entries.read_all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Give a search file"),
        (("none.toml",), "no such search file"),
        (("SPACE", "--sampler", "bayes"), "expected random, grid, tpe"),
        (("SPACE", "--sampler", "grid", "--trials", "28"), "the grid has 27 points"),
        (("SPACE", "--backends", "abacus"), "no backend `abacus`"),
        (("SPACE", "--budget", "soon"), "--budget: expected a time"),
        (("SPACE", "--budget", "0s"), "--budget: expected a time"),
        (("SPACE", "--budget", "-5m"), "--budget: expected a time"),
        (("SPACE", "--budget", "1d"), "--budget: expected a time"),
        (("SPACE", "--device", "tpu"), "does not support the device"),
        (("--resume", "here", "--trials", "3"), "Leave out --trials"),
        (("--resume", "nowhere"), "expected the folder of a search"),
    ],
)
def test_bad_input_is_a_sentence(space, words, message):
    code, _, error = run("search", *(space if word == "SPACE" else word for word in words))
    assert code != 0
    assert isinstance(error, InputError)  # exit code 2 of the program
    assert message in str(error)


def test_studies_are_listed_and_unknown_ones_are_a_sentence(tmp_path):
    code, out, _ = run("study")
    assert code == 0
    assert "softmax: Softmax" in out
    _, _, error = run("study", "abacus", "--output", str(tmp_path))
    assert "no study `abacus`" in str(error)
    _, _, error = run("study", "softmax", "--redraw", "--output", str(tmp_path))
    assert "Run it first" in str(error)
