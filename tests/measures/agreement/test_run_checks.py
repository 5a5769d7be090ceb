"""`bakeoff check`: of a folder of one's own, in one's own interpreter; what it writes; what it sums up."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from bakeoff.cli import app
from bakeoff.measures.agreement import case, cases, determinism, run_checks, selection, suite
from bakeoff.measures.agreement import records as agreement_records
from bakeoff.measures.agreement.case import Deviation, Quantity
from bakeoff.measures.agreement.determinism import Determinism
from bakeoff.measures.agreement.run_checks import VariantResult
from bakeoff.measures.agreement.suite import Outcome
from bakeoff.registry import entries
from bakeoff.workers.session import WorkerFailed
from bakeoff.workload import networks

NUMPY = entries.backends_folder() / "numpy_plain"


@pytest.fixture
def bakeoff(tmp_path, monkeypatch, capsys):
    """Return the command line, standing in an empty folder, with the five gates for the whole matrix."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(networks, "pairwise_cover", networks.required_networks)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["bakeoff", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            app.main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    return call


@pytest.fixture
def mine(tmp_path):
    """Return the folder of a backend outside the project: a copy of numpy_plain."""
    return Path(shutil.copytree(NUMPY, tmp_path / "mine", ignore=shutil.ignore_patterns("__pycache__")))


def test_a_folder_of_the_user_is_checked_in_the_given_interpreter(bakeoff, mine, tmp_path):
    code, out, _ = bakeoff("check", "./mine", "--python", sys.executable, "--records", "all.csv.gz")
    assert code == 0
    assert "mine:plain: correct: yes; rounding error at most " in out
    assert "same bits in two processes" in out
    assert not list((tmp_path / "cache").glob("environments/*")), "nothing was installed"
    records = pd.read_csv("all.csv.gz")
    assert set(records["backend"]) == {"mine"}
    assert set(records["phase"].dropna()) >= {
        "forward",
        "loss",
        "gradient",
        "update",
        "running statistics",
        "test mode",
    }
    assert records.loc[records["case"].eq("default-relu-adam"), "floors"].max() < case.LOSES_PRECISION


def test_a_wrong_folder_of_the_user_is_explained(bakeoff, mine):
    model = mine / "model.py"
    text = model.read_text()
    model.write_text(text.replace("np.maximum(", "np.minimum(", 1))
    assert model.read_text() != text
    code, out, _ = bakeoff("check", "./mine", "--python", sys.executable)
    assert code == 1
    assert "mine:plain: correct: no; on " in out


def test_an_interpreter_without_the_framework_is_a_failure_with_its_reason(bakeoff, mine):
    (mine / "model.py").write_text("import framework_of_nobody\n" + (mine / "model.py").read_text())
    code, out, _ = bakeoff("check", "./mine", "--python", sys.executable)
    assert code == 1
    assert "No module named 'framework_of_nobody'" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("./nowhere",), "expected the folder of a backend, with a backend.toml in it"),
        (("mine",), "For a folder of your own, give a path: ./mine."),
        (("./mine:fast",), "backend ./mine has no variant `fast`"),
        (("./mine", "--records", "all.xlsx"), "expected a file that ends in .jsonl, .csv or .csv.gz"),
        (("./mine", "--python", "no-python"), "expected a Python interpreter"),
    ],
)
def test_bad_usage_is_a_sentence(bakeoff, mine, arguments, sentence):
    code, _, err = bakeoff("check", *arguments)
    assert code == 2
    assert sentence in " ".join(err.split())
    assert "Traceback" not in err


# A part of the checks


def test_one_check_on_one_case_is_no_claim_that_the_backend_is_correct(bakeoff, mine):
    selected = ("--case", "stress-tanh-sgd", "--only", "updates")
    code, out, _ = bakeoff("check", "./mine", "--python", sys.executable, *selected)
    assert code == 0
    assert "mine:plain: passes what was selected (2 cases, 1 check); rounding error at most " in out
    assert "correct" not in out
    rows = [
        line.split()[0] for line in out.splitlines() if line.startswith(("stress", "default", "updates", "forward"))
    ]
    assert rows == ["updates", "stress-tanh-sgd", "stress-tanh-sgd"]
    assert "same bits" not in out, "determinism was not asked for"


def test_a_case_with_its_dtype_is_one_case(bakeoff, mine):
    case = ("--case", "stress-tanh-sgd-float64", "--only", "updates", "--json")
    code, out, _ = bakeoff("check", "./mine", "--python", sys.executable, *case)
    assert code == 0
    answer = json.loads(out)
    (outcome,) = answer["outcomes"]["mine:plain"]
    assert (outcome["check"], outcome["case"], outcome["dtype"]) == ("updates", "stress-tanh-sgd", "float64")
    assert answer["partial"] == ["mine:plain"]


def test_the_first_failure_ends_the_checks_on_request(bakeoff, mine):
    model = mine / "model.py"
    model.write_text(model.read_text().replace("np.maximum(", "np.minimum(", 1))
    code, out, _ = bakeoff("check", "./mine", "--python", sys.executable, "--fail-fast", "--json")
    assert code == 1
    outcomes = json.loads(out)["outcomes"]["mine:plain"]
    failed = [outcome for outcome in outcomes if outcome["failed"]]
    assert 1 <= len(failed) <= 2, "two cases run at a time"
    assert outcomes[-1]["failed"] or len({outcome["case"] for outcome in outcomes}) <= 3
    assert json.loads(out)["determinism"]["mine:plain"].endswith("ended at the first failure (--fail-fast).")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--case", "stress-tanh-adm"), "there is no case `stress-tanh-adm`. Did you mean `stress-tanh-adam`?"),
        (("--case", "stress-relu-adam-float46"), "Did you mean `stress-relu-adam"),
        (("--only", "update"), "there is no check `update`. Did you mean `updates`?"),
    ],
)
def test_a_wrong_name_of_a_case_or_check_names_the_nearest(bakeoff, mine, arguments, sentence):
    code, _, err = bakeoff("check", "./mine", *arguments)
    assert code == 2
    assert sentence in " ".join(err.split())


def test_a_check_that_one_case_of_a_dtype_is_enough_for_runs_where_it_is_asked_for():
    informative = [networks.DEFAULT]
    required = networks.Network("stress", "relu", True, "adam", "float32")
    chosen = selection.select(checks=["wait_waits"])
    for kinds, expected in ((informative, [networks.DEFAULT]), ([*informative, required], [required])):
        plan = suite.plan_checks(cases.cases(kinds), selection=chosen)
        assert plan == {case: ["wait_waits"] for case in cases.cases(expected)}


def test_a_check_names_its_case_of_all_cases():
    said, counted = [], []

    @contextlib.contextmanager
    def opened():
        raise WorkerFailed("ended", "no such worker")
        yield

    kinds = cases.cases(networks.required_networks()[:2])
    (outcome,) = suite.check_backend(opened, kinds, "cpu", "plain", say=said.append, count=counted.append)
    assert outcome.check == "build"
    assert said == [f"case 1 of 2: {kinds[0].label}: start of a worker"]
    assert len(counted) == 1


def test_two_backends_of_one_name_are_an_error(bakeoff, mine, tmp_path):
    shutil.copytree(mine, tmp_path / "other" / "mine")
    code, _, err = bakeoff("check", "./mine", "./other/mine")
    assert code == 2
    assert "have the same name" in " ".join(err.split())


def test_ctrl_c_ends_a_check_at_once_and_says_so(mine, tmp_path):
    command = [
        sys.executable,
        "-c",
        "from bakeoff.cli.app import main; main()",
        "check",
        "./mine",
        "--python",
        sys.executable,
    ]
    environment = {**os.environ, "BAKEOFF_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(NUMPY.parent.parent)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "mine:plain: conformance" in line:
                break
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "bakeoff: interrupted." in err


def test_bits_that_differ_are_named_with_the_array_and_the_next_step(bakeoff, mine, monkeypatch):
    found = Determinism(True, False, None, {"processes": "dense0/kernel by at most 1.2e-07; 3 of 16 arrays differ"})
    monkeypatch.setattr(determinism, "measure", lambda *arguments: found)
    monkeypatch.setattr(networks, "pairwise_cover", lambda: [networks.DEFAULT])
    toml = mine / "backend.toml"
    toml.write_text('determinism = "abacus.use_one_rod(), https://abacus.org/rods"\n' + toml.read_text())
    code, out, _ = bakeoff("check", "./mine", "--python", sys.executable)
    assert code == 0
    assert (
        "not deterministic: no same bits in two processes: dense0/kernel by at most 1.2e-07; 3 of 16 arrays differ. "
        "To make it deterministic: abacus.use_one_rod(), https://abacus.org/rods"
    ) in " ".join(out.split())


def test_the_variants_of_a_backend_share_the_networks_that_are_not_standard():
    every, shared = networks.split_cover()
    assert set(every) == set(networks.STANDARD)
    assert [*every, *shared] == networks.pairwise_cover()
    numpy = entries.read_entry(NUMPY)
    other = entries.read_all()["jax_pure"]
    chosen = [(other, variant) for variant in other.variants] + [(numpy, "plain")]
    parts = run_checks.spread_networks(chosen, shared)
    assert parts["numpy_plain", "plain"] == shared
    mine = [parts["jax_pure", variant] for variant in other.variants]
    assert sorted(network for part in mine for network in part) == sorted(shared)
    assert max(map(len, mine)) - min(map(len, mine)) <= 1


# What is written and summed up


def found(floors=3.0, **answers):
    quantity = Quantity("update", "dense0/kernel", 10)
    outcomes = (
        Outcome("updates", "default-relu-adam", "float32", False, "passes", "", [Deviation(quantity, floors, 1.0)]),
        Outcome("updates", "stress-relu-adam", "float64", True, "passes", "", [Deviation(quantity, 2 * floors, 1.0)]),
        Outcome("load_forgets", "stress-relu-adam", "float64", True, "passes", ""),
    )
    bits = Determinism(**{"twice": True, "processes": True, "threads": None, **answers})
    return {"abacus:eager": VariantResult(outcomes, bits)}


def test_the_summary_is_one_row_a_variant():
    (row,) = agreement_records.summary(agreement_records.records(found(processes=False))).to_dict("records")
    assert row["backend"] == "abacus:eager"
    assert row["correct"] == "yes"
    assert (row["float64, worst"], row["float32, worst"]) == ("6.0", "-")
    assert [row[f"default float32, step {step}"] for step in (1, 10, 100)] == ["-", "3.0", "-"]
    assert [row[heading] for heading in agreement_records.BITS.values()] == ["yes", "no", "not tried"]


def test_the_summary_names_the_backends_that_are_not_correct():
    wrong = found()["abacus:eager"]
    outcome = wrong.outcomes[1]._replace(status="fails", reason="far off")
    assert (
        agreement_records.summary(agreement_records.records({"abacus:eager": wrong._replace(outcomes=(outcome,))}))[
            "correct"
        ].item()
        == "no"
    )


@pytest.mark.parametrize("name", ["all.csv", "all.csv.gz", "all.jsonl", "folder/all.csv"])
def test_records_are_read_again_as_they_were(tmp_path, name):
    path = tmp_path / name
    agreement_records.write_records(found(1 / 3), path)
    table = pd.read_json(path, lines=True) if path.suffix == ".jsonl" else pd.read_csv(path)
    assert table["floors"].dropna().tolist() == pytest.approx([1 / 3, 2 / 3], rel=1e-15)
    assert len(table) == 3 + 3


def test_json_holds_everything():
    answer = json.loads(json.dumps(agreement_records.as_json(found(), {"beads:eager": "no interpreter"})))
    assert answer["unable"] == {"beads:eager": "no interpreter"}
    bits = {"twice": True, "processes": True, "threads": None, "differences": {}}
    assert answer["determinism"]["abacus:eager"] == bits
    assert [len(outcome["measured"]) for outcome in answer["outcomes"]["abacus:eager"]] == [1, 1, 0]


def test_the_summary_counts_no_floors_of_a_known_failure_and_names_that_there_is_one():
    right = found()["abacus:eager"]
    known = right.outcomes[0]._replace(
        check="large_logits",
        status="known failure",
        reason="its softmax stops at 64",
        measured=[Deviation(Quantity("update", "dense0/kernel", 10), 1e6, 1.0)],
    )
    table = agreement_records.records({"abacus:eager": right._replace(outcomes=(*right.outcomes, known))})
    (row,) = agreement_records.summary(table).to_dict("records")
    assert row["correct"] == "yes, but for known failures"
    assert row["default float32, step 10"] == "3.0"


def test_a_csv_file_of_records_has_no_formula(tmp_path):
    ((name, whole),) = found(1 / 3).items()
    outcome = whole.outcomes[0]._replace(reason='=HYPERLINK("http://example.org")')
    results = {name: whole._replace(outcomes=(outcome, *whole.outcomes[1:]))}
    agreement_records.write_records(results, tmp_path / "records.csv")
    assert "'=HYPERLINK" in (tmp_path / "records.csv").read_text()
