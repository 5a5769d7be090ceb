"""Mistakes: the judge on a made-up backend, the edits on the real ones, and what every framework really does."""

import ast
import json
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from bakeoff import environments
from bakeoff.cli import app
from bakeoff.common.errors import InputError
from bakeoff.common.progress import Board
from bakeoff.measures.mistakes import catalogue, figures
from bakeoff.measures.mistakes import records as mistake_records
from bakeoff.measures.mistakes.attempt import TIME_LIMIT_S, try_training
from bakeoff.measures.mistakes.catalogue import MISTAKES, make_training_input
from bakeoff.measures.mistakes.judge import Finding, find_named, measure_accuracy, remove_folders
from bakeoff.measures.mistakes.records import measure_shares
from bakeoff.measures.mistakes.run import choose_training_input, try_in_variant, try_mistakes
from bakeoff.measures.mistakes.tables import describe, describe_briefly
from bakeoff.registry import entries as registry_entries
from bakeoff.workers import launch
from rich.console import Console

from tests.measures.mistakes.seen_mistakes import SEEN
from tests.other_backends import listed_backends
from tests.paths import ROOT
from tests.tiers import mark_all_but_first, selected_parameters

REFERENCE = ROOT / "results" / "reference" / "mistakes.jsonl"
ENTRIES = registry_entries.read_all()
SUBJECTS = registry_entries.select(ENTRIES, os.environ.get("BAKEOFF_BACKENDS") or None)
"""As in tests/conformance: `tox -e backend-...` tries one at a time."""
EDITED = [name for name, entry in ENTRIES.items() if (entry.folder / catalogue.FILE).exists()]
"""Backends whose mistakes.toml says how mistakes are made in their code."""
LISTED = [name for name in EDITED if name in listed_backends()]
"""Those of them that tox.ini names: what they do was seen, and is compared with what they do now."""
NOT_POSSIBLE = {
    *(
        (name, "wrong_device")
        for name in (
            "autograd_numpy",
            "lasagne_layers",
            "caffe2_nets",
            "caffe_netspec",
            "cntk_layers",
            "dl4j_java",
            "mlx_nn",
            "numpy_plain",
            "paddlepaddle",
            "pytensor_plain",
            "sklearn_mlp",
            "theano_plain",
        )
    ),
    ("cntk_layers", "evaluation_in_training_mode"),
    ("sklearn_mlp", "evaluation_in_training_mode"),
    ("sklearn_mlp", "softmax_twice"),
}
"""What no edit can make; all else can be made."""
NEWER_THAN_REFERENCE = {
    "autograd_numpy",
    "flax_nnx",
    "keras3",
    "lasagne_layers",
    "mlx_nn",
    "mxnet_gluon",
    "paddlepaddle",
    "pytensor_plain",
    "sklearn_mlp",
    "theano_plain",
    "caffe2_nets",
    "caffe_netspec",
    "cntk_layers",
    "dl4j_java",
    "tinygrad_nn",
}
"""Backends that came after results/reference/mistakes.jsonl was last made."""
CODED = [name for name, mistake in MISTAKES.items() if mistake.corrupt is None]


@cache
def training():
    return make_training_input()


# The judge, on a backend that does what its variant is called

JUDGED = {
    "shrugs": ("right", "never", "", ()),
    "refuses": ("raised", "build", "TypeError", ()),
    "raises": ("raised", "first call", "ValueError", ("shape",)),
    "raises_later": ("raised", "later", "ValueError", ("shape",)),
    "warns": ("warned", "first call", "", ()),
    "chatters": ("right", "never", "", ()),
    "dies": ("died", "first call", "", ()),
    "nan_losses": ("NaN", "never", "", ()),
    "nan_probabilities": ("NaN", "never", "", ()),
    "drifts": ("wrong", "never", "", ()),
    "shrinks": ("wrong", "never", "", ()),
}


def tried(place, variant, **fields):
    given = place("blunders", **fields)
    (finding,) = try_in_variant(given, variant, ["wrong_width"], None, training()).findings
    return finding


@pytest.mark.parametrize("variant", JUDGED)
def test_what_happened_is_what_is_reported(place, variant):
    finding = tried(place, variant)
    assert (finding.outcome, finding.when, finding.exception, finding.named) == JUDGED[variant]
    assert finding.noticed == (JUDGED[variant][0] in ("raised", "died", "warned"))


def test_a_mistake_that_hangs_is_a_result(place):
    finding = tried(place, "hangs", timeout_s=5.0)
    assert (finding.outcome, finding.when) == ("hung", "first call")
    assert "train gave no answer within 5 s" in finding.message


def test_a_death_is_told_with_its_signal(place):
    assert "SIGSEGV" in tried(place, "dies").message


def test_a_message_is_kept_whole_and_the_traceback_is_divided(place):
    finding = tried(place, "raises")
    assert finding.message == "Invalid literal for Fraction: '(64, 63)'"
    assert (finding.user_lines, finding.framework_lines) == (2, 1), "train and misbehave; fractions"
    assert 'File "backends/blunders/adapter.py"' in finding.traceback
    assert str(ROOT) not in finding.traceback
    assert sys.prefix not in finding.traceback


def test_an_exception_without_a_message_is_shown_by_its_type():
    silent = Finding("wrong_width", "raised", when="build", exception="AssertionError")
    assert describe(silent) == "AssertionError, without a message"


def test_a_warning_is_kept_and_how_wrong_the_result_is_too(place):
    finding = tried(place, "warns")
    assert "UserWarning: these are not 64 columns" in finding.message
    assert (finding.probabilities_off, finding.accuracy) == (0.0, finding.right_accuracy)


def test_how_wrong_a_silent_result_is(place):
    finding = tried(place, "drifts")
    assert finding.probabilities_off == pytest.approx(0.01, rel=1e-4)
    y = training().y_test
    assert (finding.right_accuracy, finding.accuracy) == (np.mean(y == 0), np.mean(y == 1))
    assert (finding.loss, finding.right_loss) == (1.0, 1.0)
    share = tried(place, "nan_losses").not_a_number
    # The last of the first call's one loss and of the second's others.
    assert share == pytest.approx(2 / (catalogue.STEPS + training().y_test.size * 10))


def test_predictions_for_other_rows_are_not_compared(place):
    finding = tried(place, "shrinks")
    assert (finding.probabilities_off, finding.accuracy) == (None, None)
    assert "cannot be compared" in describe(finding)


def test_a_backend_that_fails_without_a_mistake_is_not_judged(place):
    found = try_in_variant(place("blunders"), "broken", ["wrong_width"], None, training())
    assert found == "without a mistake it does not run: raised: build raised RuntimeError: nothing works"


def test_a_mistake_in_code_that_nobody_has_written_is_said_to_be_so(place):
    (finding,) = try_in_variant(place("blunders"), "shrugs", ["softmax_twice"], None, training()).findings
    assert finding.outcome == "not written"
    assert measure_shares((finding,)) == {}


@pytest.mark.parametrize(
    ("name", "words", "named"),
    [
        ("wrong_width", "shapes (64, 63) and (64, 128)", ("shape",)),
        ("wrong_width", "cannot be multiplied (64x63 and 64x128)", ("shape",)),
        ("wrong_width", "shapes do not match: 64 and 128, at address 630", ()),
        ("labels_out_of_range", "Target 10 is out of bounds.", ("value",)),
        ("labels_out_of_range", "a label is out of bounds of 100", ()),
        ("negative_label", "index -1", ("value",)),
        ("negative_label", "index -100, axis 1", ()),
        ("float_labels", "got Float", ("dtype",)),
        ("float_labels", "of integer type", ()),
        ("float64_rows", "expected float32, got double", ("dtype",)),
        ("float64_rows", "expected float32", ()),
        ("nan_in_input", "Input contains NaN.", ("value",)),
        ("nan_in_input", "nanoseconds", ()),
        ("batch_of_one", "got torch.Size([1, 128])", ("shape",)),
        ("batch_of_one", "got [11, 128]", ()),
        ("one_hot_labels", "shape (64, 10), float32", ("shape", "dtype")),
        ("one_hot_labels", "shape (64,)", ()),
    ],
)
def test_a_thing_at_fault_is_named_where_it_stands_there_literally(name, words, named):
    assert find_named(words, MISTAKES[name].at_fault) == named


def test_folders_and_addresses_are_taken_out(place):
    given = place("blunders", python=Path("/home/somebody/env/bin/python"))
    text = (
        f"{given.folder}/adapter.py {tempfile.gettempdir()}/of_somebody/c.cpp:3 "
        '/home/somebody/env/lib/x.py "/opt/a/b/c/d.py" https://example.org/a/b 0x7f00aa11'
    )
    assert remove_folders(text, given) == (
        "backends/blunders/adapter.py <temporary>:3 "
        '<environment>/lib/x.py "<elsewhere>/d.py" https://example.org/a/b 0x...'
    )


# The mistakes themselves


def test_the_data_of_each_mistake():
    right = training()
    before = {name: array.copy() for name, array in {"x": right.x, "y": right.y, "order": right.order}.items()}
    corrupted = {name: mistake.corrupt(right) for name, mistake in MISTAKES.items() if mistake.corrupt}
    assert corrupted["wrong_width"].x.shape[1] == corrupted["wrong_width"].x_test.shape[1] == right.spec.sizes[0] - 1
    assert (corrupted["labels_out_of_range"].y.min(), corrupted["labels_out_of_range"].y.max()) == (
        1,
        right.spec.sizes[-1],
    )
    assert set(corrupted["negative_label"].y) == {-1, *range(10)}
    assert corrupted["float_labels"].y.dtype == right.spec.dtype == "float32"
    assert corrupted["float64_rows"].x.dtype == corrupted["float64_rows"].x_test.dtype == "float64"
    assert np.isnan(corrupted["nan_in_input"].x[right.order[0]]).sum() == 1, "in a row of the first batch"
    assert corrupted["batch_of_one"].order.shape == (catalogue.STEPS, 1)
    assert (corrupted["one_hot_labels"].y.argmax(axis=1) == right.y).all()
    for name, each in corrupted.items():
        assert (each.y_test == right.y_test).all(), name
        assert [(getattr(right, field) == array).all() for field, array in before.items()] == [True] * 3, name


def test_there_are_at_least_twelve():
    assert len(MISTAKES) >= 12


@pytest.mark.parametrize("name", EDITED)
def test_every_edit_is_of_what_stands_there_and_makes_python(name, tmp_path):
    folder = ENTRIES[name].folder
    coded = catalogue.read_coded(folder)
    assert sorted(coded) == sorted(CODED)
    for mistake, each in coded.items():
        if not each.edits:
            assert (name, mistake) in NOT_POSSIBLE or name not in LISTED
            continue
        copy = catalogue.write_edited_copy(folder, mistake, each, tmp_path / mistake)
        changed = {edit.file for edit in each.edits}
        for file in {"adapter.py", ENTRIES[name].description.model}:
            text = (copy / file).read_text()
            if file.endswith(".py"):
                ast.parse(text)
            assert (text != (folder / file).read_text()) == (file in changed), f"{mistake}: {file}"


def test_an_edit_that_no_longer_applies_is_an_error_that_says_where(tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(ENTRIES["numpy_plain"].folder, folder)
    model = folder / "model.py"
    model.write_text(model.read_text().replace("logits = forward(layers, x, training=True)", "logits = 0"))
    with pytest.raises(InputError, match=r"`softmax_twice`: expected this text in model.py exactly once, found 0"):
        catalogue.read_coded(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("softmax_twice", "softmax_thrice"), "`softmax_thrice`: no such mistake"),
        (("[wrong_device]\nhow", "[wrong_device]\nhwo"), "`wrong_device.hwo`. Did you mean `wrong_device.how`"),
        (('file = "model.py"', 'file = "../model.py"'), "file"),
        (('file = "model.py"', 'file = "madel.py"'), "madel.py cannot be read"),
    ],
)
def test_a_wrong_mistakes_toml_is_an_error(tmp_path, change, words):
    folder = tmp_path / "mine"
    shutil.copytree(ENTRIES["numpy_plain"].folder, folder)
    file = folder / catalogue.FILE
    file.write_text(file.read_text().replace(*change))
    with pytest.raises(InputError, match=words):
        catalogue.read_coded(folder)


def test_a_mistake_left_out_is_an_error(tmp_path):
    file = tmp_path / catalogue.FILE
    file.write_text('[wrong_device]\nhow = "there is one"\n')
    with pytest.raises(InputError, match=r"`evaluation_in_training_mode` is missing"):
        catalogue.read_coded(tmp_path)
    file.unlink()
    assert catalogue.read_coded(tmp_path) is None


# A backend that cannot do the default network


def declaring(tmp_path, cannot):
    folder = tmp_path / "mine"
    shutil.copytree(ENTRIES["numpy_plain"].folder, folder)
    toml = (folder / "backend.toml").read_text()
    (folder / "backend.toml").write_text(toml.replace("[openness]", f"{cannot}\n\n[openness]", 1))
    return registry_entries.read_entry(folder)


def test_an_unsupported_default_network_is_replaced_by_the_most_similar_supported_one(tmp_path):
    assert choose_training_input(ENTRIES["numpy_plain"])[1] == ""
    given, network = choose_training_input(
        declaring(tmp_path, '[[unsupported]]\nbatch_norm = true\nreason = "No beads."')
    )
    assert given.spec == training().spec._replace(batch_norm=False)
    assert "norm0/gamma" not in given.arrays
    assert (given.order == training().order).all()
    assert network == "tried with batch_norm = False, as it does not support batch_norm = True: No beads."


def test_a_backend_without_a_supported_network_is_reported(tmp_path):
    entry = declaring(tmp_path, '[[unsupported]]\nbatch_norm = [true, false]\nreason = "No beads."')
    given, network = choose_training_input(entry)
    assert given.spec == training().spec
    assert network == "does not support batch_norm = True: No beads."


# Records and tables


def test_records_are_read_back_as_they_were(place, tmp_path):
    names = ["wrong_width", "softmax_twice"]
    some = {f"mine:{variant}": try_in_variant(place("blunders"), variant, names, None, training())
            for variant in ("raises", "drifts")}  # fmt: skip
    path = tmp_path / "made" / "mistakes.jsonl"
    mistake_records.write(mistake_records.make_records(some, {"mine": "1.0"}), path)
    saved = mistake_records.read(path)
    assert saved.findings == {name: each.findings for name, each in some.items()}
    assert saved.versions == {"mine": "1.0"}
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    shares_of_variant = {each.name for each in (figures.NOTICED, figures.WRONG, figures.NAMED)}
    shares = {(row["variant"], row["figure"]): row["value"] for row in rows if row["figure"] in shares_of_variant}
    assert shares == {
        ("raises", "noticed"): 1.0,
        ("raises", "wrong"): 0.0,
        ("raises", "named"): 1.0,
        ("drifts", "noticed"): 0.0,
        ("drifts", "wrong"): 1.0,
    }


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        mistake_records.read(tmp_path / "none.jsonl")


def test_the_cells_say_what_happened(place):
    assert describe_briefly(tried(place, "raises")) == "raised, first call"
    accuracies = f"{100 * np.mean(training().y_test == 0):.1f} -> {100 * np.mean(training().y_test == 1):.1f} %"
    assert describe_briefly(tried(place, "drifts")) == f"WRONG by 0.01, {accuracies}"
    assert describe(tried(place, "drifts")) == (
        f"probabilities up to 0.01 off; loss 1.000 -> 1.000; accuracy {accuracies}"
    )
    assert describe_briefly(tried(place, "shrugs")) == "right"


def test_a_long_message_is_shown_by_its_beginning_and_its_end(place):
    long = tried(place, "raises")._replace(message="begins\n" + "word " * 100 + "ends")
    shown = describe(long)
    assert (shown.startswith("begins word"), shown.endswith("word ends"), len(shown)) == (True, True, 205)


# The command


@pytest.fixture
def mine(tmp_path, monkeypatch):
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "mine"
    shutil.copytree(ENTRIES["numpy_plain"].folder, folder)
    return folder


def run_command(capsys, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["bakeoff", "mistakes", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        app.main()
    return ended.value.code or 0, capsys.readouterr()


def test_the_command_tries_the_mistakes_and_keeps_the_results(mine, tmp_path, capsys, monkeypatch):
    kept = tmp_path / "kept.jsonl"
    options = ("--python", sys.executable, "--only", "wrong_width", "--only", "forgotten_update", "--records", kept)
    code, printed = run_command(capsys, monkeypatch, mine, *options, "--json")
    assert code == 0
    width, update = json.loads(printed.out)["findings"]["mine:plain"]
    assert (width["mistake"], width["outcome"], width["exception"]) == ("wrong_width", "raised", "ValueError")
    assert (update["mistake"], update["outcome"]) == ("forgotten_update", "wrong")
    assert (update["accuracy"] < 0.3, update["right_accuracy"] > 0.9) == (True, True)
    (read,) = mistake_records.read(kept).findings.values()
    assert [each.outcome for each in read] == ["raised", "wrong"]
    code, printed = run_command(capsys, monkeypatch, mine, *options, "--full", "--messages")
    assert code == 0
    assert "raised, first call" in printed.out
    assert "mismatch in its core dimension" in printed.out


def test_the_command_refuses_what_it_cannot_do(mine, capsys, monkeypatch):
    code, printed = run_command(capsys, monkeypatch, mine, "--only", "wrong_widht")
    assert (code, "Did you mean `wrong_width`?" in printed.err.replace("\n", " ")) == (2, True)
    code, printed = run_command(capsys, monkeypatch, mine, "--records", "a.csv")
    assert (code, "ends in .jsonl" in printed.err.replace("\n", " ")) == (2, True)
    (mine / "model.py").write_text("")
    code, printed = run_command(capsys, monkeypatch, mine)
    assert (code, "exactly once" in printed.err.replace("\n", " ")) == (2, True)


def test_a_variant_that_does_not_run_is_a_failure(mine, capsys, monkeypatch):
    adapter = mine / "adapter.py"
    adapter.write_text(adapter.read_text().replace("self.spec = spec", "self.spec = nothing", 1))
    options = ("--python", sys.executable, "--only", "wrong_width", "--json")
    code, printed = run_command(capsys, monkeypatch, mine, *options)
    assert code == 1
    assert "NameError" in json.loads(printed.out)["not_tried"]["mine:plain"]


def test_an_attempt_without_a_mistake_learns(mine, place):
    right = try_training(place("", folder=mine), "plain", training())
    assert (right.stopped, right.when, len(right.losses)) == (None, "never", 2)
    assert measure_accuracy(right.probabilities, training().y_test) > 0.9


# What every framework really does


def is_distinct(name, entry):
    """Return whether a variant is the first of its backend, or has something else come of the mistake than in that."""
    backend = entry.partition(":")[0]
    first = f"{backend}:{ENTRIES[backend].description.variants[0]}"
    return entry == first or SEEN[name][entry] != SEEN[name][first]


# A mistake with the same outcome in every variant is tried in the first only: all of them take ten minutes more.
PAIRS = [
    (name, entry)
    for name, seen in SEEN.items()
    for entry in seen
    if entry in {f"{subject.name}:{variant}" for subject, variant in SUBJECTS} and is_distinct(name, entry)
]


def in_short(finding):
    """Return a finding as tests/seen_mistakes.py has it."""
    if finding.noticed:
        return finding.outcome, finding.when, finding.exception, ", ".join(finding.named or ())
    return (
        (finding.outcome,) if finding.accuracy is None else (finding.outcome, pytest.approx(finding.accuracy, abs=0.06))
    )


@cache
def try_selected(session, backend):
    """Try the selected PAIRS of a backend, two variants at a time; return findings or reasons by NAME:VARIANT."""
    names = {}
    for parameters in selected_parameters(session, test_a_framework_does_what_was_seen):
        names.setdefault(parameters["entry"], []).append(parameters["name"])

    def try_in_own_environment(subject, variant):
        made = {subject.label: environments.build(subject).python}
        tried = names[f"{backend}:{variant}"]
        return try_mistakes([(subject, variant)], made, tried, TIME_LIMIT_S, Board(Console(stderr=True)))

    chosen = [each for each in SUBJECTS if each[0].name == backend and f"{backend}:{each[1]}" in names]
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda each: try_in_own_environment(*each), chosen))
    return {entry: found for pair in both for each in pair for entry, found in each.items()}


def findings_of(session, entry):
    """Return the findings in one variant, NAME:VARIANT, by mistake."""
    measured = try_selected(session, entry.partition(":")[0])[entry]
    assert not isinstance(measured, str), measured
    return {finding.mistake: finding for finding in measured.findings}


@pytest.mark.conformance
@pytest.mark.parametrize(("name", "entry"), mark_all_but_first(PAIRS, lambda pair: pair[1].partition(":")[0]))
def test_a_framework_does_what_was_seen(name, entry, request):
    ((subject, variant),) = registry_entries.select(ENTRIES, entry)
    reason = launch.explain_unavailable(subject, variant)
    if reason:
        pytest.skip(reason)
    finding = findings_of(request.session, entry)[name]
    print(describe(finding))
    assert SEEN[name][entry] == in_short(finding), describe(finding)


def test_the_reference_says_what_was_seen():
    saved = mistake_records.read(REFERENCE)
    old = {
        name: [entry for entry in seen if entry.partition(":")[0] not in NEWER_THAN_REFERENCE]
        for name, seen in SEEN.items()
    }
    assert old == {name: list(saved.findings) for name in MISTAKES}
    for entry, findings in saved.findings.items():
        for finding in findings:
            assert SEEN[finding.mistake][entry] == in_short(finding), f"{entry} {finding.mistake}"


def variants_with_edits(name):
    """Return the variants whose code the edits change: those without a model file of their own."""
    return [variant for variant in ENTRIES[name].variants if variant not in ENTRIES[name].own_models()]


def test_every_variant_is_in_the_reference_or_came_after_it():
    entries = [
        f"{name}:{variant}"
        for name in LISTED
        if name not in NEWER_THAN_REFERENCE
        for variant in variants_with_edits(name)
    ]
    assert sorted(mistake_records.read(REFERENCE).findings) == sorted(entries)


def test_every_backend_that_tox_names_has_mistakes():
    assert sorted(listed_backends()) == LISTED


def test_every_variant_was_seen():
    entries = [f"{name}:{variant}" for name in LISTED for variant in variants_with_edits(name)]
    assert {name: sorted(seen) for name, seen in SEEN.items()} == {name: sorted(entries) for name in MISTAKES}


def test_the_reference_has_no_folder_of_a_machine():
    text = REFERENCE.read_text()
    assert [word for word in ("/tmp/", "/home/", "/root/", "/usr/", "/opt/") if word in text] == []
