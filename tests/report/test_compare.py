"""Comparing two runs finds a known factor between them, and rejects runs that cannot be compared.

The runs are copies of tests/data/run with their records changed. Its slices are those of a busy machine; where an
interval must be narrow they are replaced by quiet ones.
"""

import copy
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from bakeoff.cli import app
from bakeoff.common import statistics
from bakeoff.common.errors import InputError
from bakeoff.measures import VOCABULARY
from bakeoff.measures.speed import figures as speed
from bakeoff.records import read
from bakeoff.report.compare import compare
from bakeoff.workload.spec import Spec

from tests.paths import SAVED_RUN

PLAIN = ("numpy_plain", "plain")


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 300)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Work in an empty folder, so that runs have short names."""
    monkeypatch.chdir(tmp_path)


def run(name, *changes):
    """Copy the saved run; each change takes its header and its records, and alters them in place."""
    folder = Path(shutil.copytree(SAVED_RUN, name))
    header = read.read_header(folder)
    records = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    for change in changes:
        change(header, records)
    (folder / "run.json").write_text(json.dumps(header))
    (folder / "records.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return folder


def slices(records, self_test=None, backend=None):
    return [
        record
        for record in records
        if record["figure"] == "slice"
        and self_test in (None, record["self_test"])
        and backend in (None, record["backend"])
    ]


def quiet(seed):
    """Make every slice 1 ms a step, give or take half a percent."""

    def change(header, records):
        rng = np.random.default_rng(seed)
        for record in slices(records):
            record["value"] = record["steps"] * 1e-3 * (1 + 0.005 * rng.standard_normal())

    return change


def scaled(factor, **which):
    def change(header, records):
        for record in slices(records, **which):
            record["value"] *= factor

    return change


def twin(name):
    """Enter the backend a second time, by another name, with the same records."""

    def change(header, records):
        header["backends"][name] = {**header["backends"][PLAIN[0]]}
        header["plan"]["entries"].append([name, "plain"])
        end = len(records) - 1  # before the round's last record, which says that it is over
        records[end:end] = [
            {**record, "backend": name}
            for record in copy.deepcopy(records)
            if record.get("backend") == PLAIN[0] and record.get("self_test") is not True
        ]

    return change


def without(**which):
    def change(header, records):
        records[:] = [record for record in records if any(record.get(key) != value for key, value in which.items())]

    return change


def failing(header, records):
    check = next(record for record in records if record["figure"] == "check")
    check |= {"value": "fails", "failed": True, "reason": "logits: 9,000 floors, allowed 128"}
    floors = next(record for record in records if record["figure"] == "floors" and record["required"])
    floors["value"] = 9000.0


def headed(**values):
    def change(header, records):
        for path, value in values.items():
            *tables, key = path.split("__")
            table = header
            for each in tables:
                table = table[each]
            table[key] = value

    return change


def respecified(path, value):
    """Change the spec, and its hash with it."""

    def change(header, records):
        headed(**{f"spec__{path}": value})(header, records)
        header["spec_hash"] = Spec.model_validate(header["spec"], strict=False).hash()

    return change


def only(pairs):
    (pair,) = pairs
    return pair


def changed(*folders, **options):
    (change,) = only(compare(folders, **options)).changes
    return change


# Ratios


def test_a_run_against_itself_has_a_ratio_of_one():
    change = changed(run("a"), run("b"))
    assert change.ratio.estimate == 1
    assert not change.ratio.excludes(1)
    assert change.worse == []


def test_the_estimate_is_the_factor_that_the_slices_were_scaled_by():
    change = changed(run("a"), run("b", scaled(1.1)))
    assert change.ratio.estimate == pytest.approx(1.1)
    assert not change.ratio.excludes(1.1)
    assert change.after["step_s"] == pytest.approx(1.1 * change.before["step_s"])


def test_a_difference_of_ten_percent_is_significant():
    ratio = changed(run("a", quiet(1)), run("b", quiet(2), scaled(1.1))).ratio
    assert ratio.excludes(1)
    assert not ratio.excludes(1.1)
    assert ratio.high < 1.12


def test_a_random_difference_is_not_significant():
    ratio = changed(run("a", quiet(1)), run("b", quiet(2))).ratio
    assert not ratio.excludes(1)
    assert ratio.high / ratio.low < 1.02


def test_every_run_is_compared_with_the_first():
    runs = [run("a", quiet(1)), run("b", quiet(2), scaled(1.1)), run("c", quiet(3), scaled(0.5))]
    pairs = compare(runs)
    assert [pair.baseline.folder for pair in pairs] == [runs[0]] * 2
    assert [pair.changes[0].ratio.estimate for pair in pairs] == pytest.approx([1.1, 0.5], rel=0.01)


def test_a_note_says_that_two_runs_were_not_timed_together():
    assert any("were not timed together" in line for line in only(compare([run("a"), run("b")])).notes())


# Relative to one that stayed as it was


def test_a_common_slowdown_cancels_relative_to_another_variant():
    first = run("a", quiet(1), twin("other"))
    second = run("b", quiet(2), twin("other"), scaled(1.3), scaled(1.1, backend="other"))
    plain, other = only(compare([first, second])).changes
    assert (plain.ratio.estimate, other.ratio.estimate) == pytest.approx((1.3, 1.43), rel=0.01)
    pair = only(compare([first, second], relative_to="numpy_plain:plain"))
    plain, other = pair.changes
    assert plain.ratio == (1, 1, 1)
    assert other.ratio.estimate == pytest.approx(1.1, rel=0.01)
    assert other.ratio.excludes(1)
    assert any("relative to numpy_plain:plain, timed in the same blocks" in line for line in pair.notes())


def test_a_note_says_that_the_reference_itself_changed():
    pair = only(
        compare([run("a"), run("b", headed(backends__numpy_plain__version="9.9"))], relative_to="numpy_plain:plain")
    )
    assert "numpy_plain:plain itself changed: version was 2.4.6, is 9.9." in pair.notes()


def test_a_reference_that_was_not_timed_is_an_input_error():
    with pytest.raises(InputError, match="--relative-to other:plain: a has no such variant") as refused:
        compare([run("a"), run("b", twin("other"))], relative_to="other:plain")
    assert str(refused.value).endswith("There are: numpy_plain:plain.")


# The threshold


@pytest.mark.parametrize(("threshold", "worse"), [(None, False), (1.05, True), (1.2, False)])
def test_slower_is_worse_only_if_the_whole_interval_exceeds_the_threshold(threshold, worse):
    change = changed(run("a", quiet(1)), run("b", quiet(2), scaled(1.1)), threshold=threshold)
    assert bool(change.worse) is worse
    assert all("lies above 1.05" in reason for reason in change.worse)


def test_an_interval_that_includes_the_threshold_is_not_worse():
    change = changed(run("a"), run("b", scaled(1.1)), threshold=1.05)
    assert change.ratio.low < 1.05 < change.ratio.estimate
    assert change.worse == []


def test_a_variant_that_is_no_longer_correct_is_worse():
    change = changed(run("a"), run("b", failing), threshold=1.05)
    assert "it was correct in the baseline, and is not correct now: " in change.worse[0]
    assert "9,000 floors, allowed 128" in change.worse[0]
    assert changed(run("c"), run("d", failing)).worse == []
    assert changed(run("e", failing), run("f", failing), threshold=1.05).worse == []
    assert changed(run("g", failing), run("h"), threshold=1.05).worse == []


def test_a_variant_that_is_no_longer_checked_or_timed_is_worse():
    change = changed(run("a"), run("b", without(measure="agreement"), without(figure="slice")), threshold=1.05)
    assert change.ratio is None
    assert [reason.partition(",")[0] for reason in change.worse] == [
        "it was timed in the baseline",
        "it was correct in the baseline",
    ]


@pytest.mark.parametrize("threshold", [0.0, -1.0, float("nan"), float("inf")])
def test_a_threshold_that_is_no_ratio_is_an_input_error(threshold):
    with pytest.raises(InputError, match="expected a ratio above 0"):
        compare([run("a"), run("b")], threshold=threshold)


# Unlike runs


def test_different_specs_are_an_input_error_that_names_the_keys():
    with pytest.raises(InputError) as refused:
        compare([run("a"), run("b", respecified("training__epochs", 9), respecified("network__hidden", [4]))])
    said = str(refused.value)
    hashed = read.read_header(Path("b"))["spec_hash"]
    assert said.startswith(f"b: its spec ({hashed}) is not that of a (d98aad20bacd): ")
    assert "`network.hidden` is [4], there [128, 64]; `training.epochs` is 9, there 3. " in said
    assert said.endswith("Compare runs of the same spec.")


def test_the_message_names_the_first_of_many_differing_keys():
    changes = [respecified(f"optimiser__{key}", 0.5) for key in ("learning_rate", "beta1", "beta2", "epsilon")]
    with pytest.raises(InputError, match=r"`optimiser.learning_rate` is 0.5, there 0.001; .*; and 1 more\."):
        compare([run("a"), run("b", *changes)])


def test_different_data_are_an_input_error():
    with pytest.raises(InputError, match=r"b: its data \(0123\) is not that of a .*: `name` is iris, there digits\. "):
        compare([run("a"), run("b", headed(data__hash="0123", data__name="iris", data__notes=[]))])


def test_every_run_must_be_comparable_with_the_first():
    with pytest.raises(InputError, match=r"^c: its data \(0123\) is not that of a .*only the hashes differ"):
        compare([run("a"), run("b"), run("c", headed(data__hash="0123"))])


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_runs_are_an_input_error(count):
    with pytest.raises(InputError, match=f"expected two runs or more, the first as baseline, got {count}"):
        compare([SAVED_RUN] * count)


# What else differed


def test_a_copy_of_a_run_has_no_other_differences():
    pair = only(compare([run("a"), run("b", scaled(2))]))
    assert pair.differences() == []
    assert pair.only() == ([], [])


def of(framework, version):
    def change(header, records):
        for record in records:
            if record["figure"] == "version" and record["of"] == framework:
                record["value"] = version

    return change


def packages(installed):
    def change(header, records):
        for record in records:
            if record["figure"] == "packages":
                record |= {"value": len(installed), "installed": installed}

    return change


def test_other_differences_have_both_values():
    facts = {"governor": "performance", "limit_cores": None, "load": [9.0, 9.0, 9.0], "clock_step_s": 1e-8}
    before = run("a", headed(machine__facts=facts), packages({"numpy": "2.4.6", "old": "1"}))
    after = run(
        "b",
        headed(
            bakeoff="0.2.0",
            commit=None,
            created="2027-01-01T00:00:00Z",
            machine__system="Linux 7",
            machine__facts={**facts, "governor": "powersave", "load": [0.0, 0.0, 0.0], "clock_step_s": 2e-8},
            plan__threads=2,
            plan__device="cuda",
            backends__numpy_plain__version="2.5.0",
        ),
        of("blas", "another 1.0"),
        packages({"numpy": "2.5.0"}),
    )
    differences = {each.what: (each.before, each.after) for each in only(compare([before, after])).differences()}
    blas = next(value for key, value in versions_of(SAVED_RUN).items() if key == "blas")
    assert differences == {
        "bakeoff": ("0.1.0", "0.2.0"),
        "commit": ("fe61a4bf5e01+", "None"),
        "machine.system": ("Linux 6.18.44-fc-v669", "Linux 7"),
        "machine.governor": ("performance", "powersave"),
        "plan.threads": ("1", "2"),
        "plan.device": ("cpu", "cuda"),
        "backends.numpy_plain.version": ("2.4.6", "2.5.0"),
        "backends.numpy_plain.uses blas": (blas, "another 1.0"),
        "backends.numpy_plain.packages.numpy": ("2.4.6", "2.5.0"),
        "backends.numpy_plain.packages.old": ("1", "absent"),
    }


def with_kernels(architecture, variables, **machine):
    def change(header, records):
        header["variables"] = {"numpy_plain:plain": variables}
        header["machine"] |= machine
        like = next(each for each in records if each["figure"] == "slice")
        keys = {key: like[key] for key in ("task", "attempt", "time", "measure", *speed.CONTESTANT)}
        keys |= {"of": "libopenblas", "api": "openblas", "version": "0.3.30", "unit": ""}
        records.insert(records.index(like), {**keys, "figure": "kernels", "value": architecture})

    return change


def test_every_difference_of_variables_kernels_and_processor_is_named():
    facts = {"microcode": "0x1", "c_library": "glibc 2.36", "flags": ["avx2", "fma"]}
    first = run("first", with_kernels("SkylakeX", {"TZ": "UTC"}, **facts))
    facts |= {"microcode": "0x2", "c_library": "glibc 2.39", "flags": ["avx2", "amx_tile"]}
    second = run("second", with_kernels("Haswell", {"OPENBLAS_CORETYPE": "Haswell", "TZ": "UTC"}, **facts))
    assert set(only(compare([first, second])).differences()) == {
        ("machine.flags.fma", "present", "absent"),
        ("machine.flags.amx_tile", "absent", "present"),
        ("machine.microcode", "0x1", "0x2"),
        ("machine.c_library", "glibc 2.36", "glibc 2.39"),
        ("variables.numpy_plain:plain.OPENBLAS_CORETYPE", "absent", "Haswell"),
        ("kernels.numpy_plain:plain.libopenblas", "SkylakeX (openblas 0.3.30)", "Haswell (openblas 0.3.30)"),
    }


def test_a_run_from_before_variables_were_recorded_differs_in_one_line_for_each():
    later = run("later", with_kernels("Haswell", {"TZ": "UTC", "LANG": "C"}, flags=["avx2", "fma"]))
    differences = only(compare([run("earlier"), later])).differences()
    assert differences == [
        ("machine.flags", "not recorded", "recorded"),
        ("variables", "not recorded", "recorded"),
        ("kernels", "not recorded", "recorded"),
    ]


def versions_of(folder):
    records = read.read_records(folder, VOCABULARY)
    found = records[records["figure"] == "version"]
    return dict(zip(found["of"], found["value"]))


def test_variants_in_only_one_run_are_listed_apart():
    pair = only(compare([run("a", twin("old")), run("b", twin("new"))]))
    assert pair.only() == (["old:plain"], ["new:plain"])
    assert [change.key for change in pair.changes] == [PLAIN]
    assert pair.differences() == []
    assert {"Only in a: old:plain.", "Only in b: new:plain."} <= {*pair.notes()}


def test_runs_without_a_common_variant_are_an_input_error():
    def renamed(header, records):
        twin("other")(header, records)
        header["plan"]["entries"] = [["other", "plain"]]
        del header["backends"][PLAIN[0]]
        records[:] = [each for each in records if each.get("backend") != PLAIN[0]]

    with pytest.raises(InputError, match=r"have no variant in common: other:plain there, numpy_plain:plain here"):
        compare([run("a"), run("b", renamed)])


def test_a_missing_variant_is_worse():
    pair = only(compare([run("a", twin("other")), run("b")], threshold=1.05))
    assert pair.worse
    assert pair.as_json()["missing"] == ["other:plain"]
    assert "WORSE: other:plain: it was timed in the baseline, and is not part of this run." in pair.notes()
    two, one = Path("a"), Path("b")
    assert not only(compare([one, two], threshold=1.05)).worse
    assert not only(compare([two, one])).worse


# What stands over the table


@pytest.mark.parametrize("failed", ["a", "b"])
def test_a_failed_self_test_is_the_first_note(failed):
    broken = {"a": [], "b": [], failed: [scaled(1.2, self_test=True)]}
    pair = only(compare([run(name, quiet(1), *broken[name]) for name in ("a", "b")]))
    first = pair.notes()[0]
    assert first.startswith(
        f"{failed}: The timing failed its self-test by 16.6 % (numpy_plain:plain against itself: 0.8"
    )
    assert sum("failed its self-test" in line for line in pair.notes()) == 1


def test_notes_name_a_missing_self_test_and_an_unfinished_run():
    first = run("a", without(figure="slice", self_test=True))
    second = run("b", headed(plan__rounds=2))
    remarks = only(compare([first, second])).notes()
    assert "a was not self-tested: no variant was timed against itself to the end of every round." in remarks
    assert "b is unfinished: 1 round of timing missing." in remarks


def test_the_table_shows_two_values_only_where_they_differ():
    (row,) = (
        only(compare([run("a"), run("b", headed(backends__numpy_plain__version="9.9"), failing)]))
        .readable()
        .to_dict("records")
    )
    assert row["backend"] == "numpy_plain:plain"
    assert row["version"] == "2.4.6 -> 9.9"
    assert row["correct (rounding error, x NumPy's)"].startswith("yes (")
    assert " -> no (" in row["correct (rounding error, x NumPy's)"]
    assert "->" not in row["test accuracy"]
    assert row["installed"].endswith(" MB")


# The command


@pytest.fixture
def bakeoff(monkeypatch, capsys):
    """Return the command line: bakeoff(*arguments) gives its exit code, standard output and standard error."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["bakeoff", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            app.main()
        return ended.value.code or 0, *capsys.readouterr()

    return call


@pytest.mark.parametrize(
    ("arguments", "code"),
    [([], 0), (["--threshold", "1.05"], 1), (["--threshold", "1.2"], 0), (["--threshold", "0"], 2)],
)
def test_the_exit_code_is_1_only_beyond_a_threshold(bakeoff, arguments, code):
    run("a", quiet(1))
    run("b", quiet(2), scaled(1.1))
    ended, out, err = bakeoff("compare", "a", "b", *arguments)
    assert ended == code
    assert ("WORSE: numpy_plain:plain: " in out) is (code == 1)
    assert ("numpy_plain:plain" in out) is (code != 2)
    assert bool(err) is (code == 2)


def test_one_worse_run_of_several_is_enough(bakeoff):
    run("a", quiet(1))
    run("b", quiet(2), scaled(1.1))
    run("c", quiet(3))
    assert bakeoff("compare", "a", "b", "c", "--threshold", "1.05")[0] == 1
    assert bakeoff("compare", "a", "c", "c", "--threshold", "1.05")[0] == 0


def test_runs_that_cannot_be_compared_give_a_message_and_exit_code_2(bakeoff):
    run("a")
    run("b", respecified("training__epochs", 9))
    code, out, err = bakeoff("compare", "a", "b", "--json")
    assert (code, out) == (2, "")
    assert err.startswith("bakeoff: b: its spec (")
    assert "`training.epochs` is 9, there 3." in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("compare --results .", "has no older complete run of its spec and data"),
        ("compare a --results .", "a is the newest complete run itself"),
        ("compare a nowhere", "nowhere: no run here"),
        ("compare a a --threshold much", "Invalid value for '--threshold'"),
        ("compare a a --relative-to other:plain", "There are: numpy_plain:plain."),
    ],
)
def test_bad_usage_gives_a_message_and_exit_code_2(bakeoff, line, sentence):
    run("a")
    code, out, err = bakeoff(*line.split())
    assert (code, out) == (2, "")
    assert sentence in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err


def test_runs_are_found_by_their_names_in_the_results_folder(bakeoff):
    Path("results").mkdir()
    run("results/a")
    run("results/b")
    code, out, _ = bakeoff("compare", "a", "b")
    assert code == 0
    assert out.startswith("results/b compared with the baseline results/a\n")


def test_json_has_every_value(bakeoff):
    run("a", quiet(1))
    run("b", quiet(2), scaled(1.1), headed(plan__threads=2), without(measure="training"), twin("new"))
    code, out, err = bakeoff("compare", "a", "b", "--json", "--threshold", "1.05")
    answer = json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert (code, err) == (1, "")
    assert (answer["baseline"], answer["threshold"]) == ("a", 1.05)
    (pair,) = answer["comparisons"]
    assert (pair["run"], pair["worse"], pair["only_in_run"]) == ("b", True, ["new:plain"])
    assert {"what": "plan.threads", "before": "1", "after": "2"} in pair["differences"]
    (row,) = pair["rows"]
    assert row["ratio"] == pytest.approx(1.1, rel=0.01)
    assert row["ratio_low"] > 1.05
    assert row["baseline"]["correct"] == "yes"
    assert row["run"]["test_accuracy"] is None
    assert row["run"]["step_s"] == pytest.approx(1.1e-3, rel=0.01)


def test_infinite_floors_are_valid_json(bakeoff):
    def endless(header, records):
        next(record for record in records if record["figure"] == "floors" and record["required"])["value"] = float(
            "inf"
        )

    run("a")
    run("b", endless)
    _, out, _ = bakeoff("compare", "a", "b", "--json")
    answer = json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert answer["comparisons"][0]["rows"][0]["run"]["worst_floors"] == "inf"


def test_output_to_a_file_has_no_escapes_and_whole_lines(bakeoff, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    run("a")
    run("b", headed(machine__processor="A processor [of another kind]"))
    _, out, err = bakeoff("compare", "a", "b")
    assert "\x1b" not in out + err
    (line,) = [line for line in out.splitlines() if line.startswith("machine.processor")]
    assert line.endswith("A processor [of another kind]")
    assert "1.000 [" in next(line for line in out.splitlines() if line.startswith("numpy_plain:plain"))


def test_its_help_has_an_example(bakeoff):
    code, out, err = bakeoff("compare", "--help")
    assert (code, err) == (0, "")
    assert "bakeoff compare BEFORE AFTER --threshold 1.05" in out
