"""A change is given in per cent of time with its interval, and with what else differs between the two runs."""

from types import SimpleNamespace

import pytest
from bakeoff.common.statistics import Interval
from bakeoff.report.causes import describe_change, describe_changes
from bakeoff.report.differences import Difference

CHANGED = Interval(0.57, 0.55, 0.59)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (Interval(0.57, 0.55, 0.59), "43 % less time [41, 45]"),
        (Interval(1.43, 1.41, 1.45), "43 % more time [41, 45]"),
        (Interval(2.5, 2.4, 2.6), "150 % more time [140, 160]"),
        (Interval(0.99, 0.985, 0.995), "1.0 % less time [0.5, 1.5]"),
        (Interval(1.0, 0.98, 1.03), "no clear change [-2 %, +3 %]"),
    ],
)
def test_a_ratio_in_words(ratio, words):
    assert describe_change(ratio) == words


def pair(*differences, relative_to="", load=(0.0, 0.0), ratio=CHANGED):
    reports = [SimpleNamespace(header={"machine": {"facts": {"others_cores": each}}}) for each in load]
    changes = [
        SimpleNamespace(key=("swift", "eager"), name="swift:eager", ratio=ratio),
        SimpleNamespace(key=("slow", "eager"), name="slow:eager", ratio=Interval(1.0, 0.9, 1.1)),
        SimpleNamespace(key=("untimed", "eager"), name="untimed:eager", ratio=None),
    ]
    found = [Difference(*each) for each in differences]
    return SimpleNamespace(
        changes=changes, relative_to=relative_to, differences=lambda: found, baseline=reports[0], other=reports[1]
    )


def explained(*arguments, **more):
    (sentence,) = describe_changes(pair(*arguments, **more))
    assert sentence.startswith("swift:eager: 43 % less time [41, 45]. ")
    return sentence.partition(". ")[2]


def test_the_version_of_the_variant_is_a_cause_and_that_of_another_is_not():
    found = explained(("backends.swift.version", "1.0", "2.0"), ("backends.slow.version", "3", "4"))
    assert found == "Probable cause: version 1.0 -> 2.0."


def test_machine_kernel_and_load_are_causes():
    found = explained(("machine.kernel", "a", "b"), ("machine.processor", "P", "Q"), load=(0.1, 1.4))
    assert found == "Probable cause: processor P -> Q, kernel a -> b, background load 0.1 -> 1.4 cores."


def test_what_affects_all_cancels_in_relative_times():
    machine = ("machine.processor", "P", "Q")
    assert explained(machine, relative_to="slow:eager").startswith("No cause is recorded")
    assert "processor" in explained(machine)


def test_kernels_of_the_variant_are_a_cause():
    assert explained(("kernels.swift:eager.openblas", "Haswell", "Zen")).endswith("openblas Haswell -> Zen.")


def test_another_processor_comes_before_what_is_a_variant_s_own():
    own = [("backends.swift.version", "1.0", "2.0"), *((f"backends.swift.uses lib{n}", "1", "2") for n in range(3))]
    found = explained(*own, ("machine.microcode", "1", "2"), ("machine.processor", "P", "Q"))
    assert found == "Probable cause: processor P -> Q, version 1.0 -> 2.0, lib0 1 -> 2 and 3 more, below."


def test_many_causes_are_counted():
    several = [(f"backends.swift.uses lib{number}", "1", "2") for number in range(5)]
    assert explained(*several) == "Probable cause: lib0 1 -> 2, lib1 1 -> 2, lib2 1 -> 2 and 2 more, below."


def test_without_a_change_nothing_is_said():
    assert list(describe_changes(pair(ratio=Interval(1.0, 0.9, 1.1)))) == []
