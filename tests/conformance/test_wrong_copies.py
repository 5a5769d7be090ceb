"""A wrong copy of each backend is detected in its own framework, with its first deviation and the cause named."""

import os
import shutil
from collections import Counter

import pytest
from bakeoff import environments
from bakeoff.measures.agreement import cases, diagnosis, suite
from bakeoff.registry import entries
from bakeoff.workers import launch
from bakeoff.workers.place import Place
from bakeoff.workers.session import Session
from bakeoff.workload import networks
from bakeoff.workload.networks import Network

from tests.other_backends import listed_backends
from tests.tiers import mark_all_but_first

from .wrong_copies import WRONG_COPIES

ENTRIES = entries.read_all()
ONLY = os.environ.get("BAKEOFF_BACKENDS")
"""As --backends: `tox -e backend-...` checks one at a time."""
WANTED = {(entry.name, variant) for entry, variant in entries.select(ENTRIES, ONLY or None)}


def name_of(copy):
    return f"{copy.backend}-{copy.name}"


def text_of(folder, copy):
    """Return the file that the mistake is made in; fail where what it replaces does not stand there once."""
    text = (folder / copy.file).read_text(encoding="utf-8")
    count = text.count(copy.right)
    assert count == 1, (
        f"{copy.backend}/{copy.file}: expected this once, found it {count} times:\n{copy.right}\n"
        f"The backend was changed: make the mistake {copy.name} of wrong_copies.py anew."
    )
    return text


@pytest.mark.parametrize("copy", WRONG_COPIES, ids=name_of)
def test_the_text_that_a_mistake_replaces_stands_in_its_backend(copy):
    text_of(ENTRIES[copy.backend].folder, copy)
    assert copy.variant in ENTRIES[copy.backend].variants


def test_a_mistake_whose_text_is_gone_says_what_to_do(tmp_path):
    (tmp_path / "model.py").write_text("twice twice", encoding="utf-8")
    for right, count in (("gone", 0), ("twice", 2)):
        gone = WRONG_COPIES[0]._replace(right=right)
        with pytest.raises(AssertionError, match=f"model.py: expected this once, found it {count} times"):
            text_of(tmp_path, gone)


def test_there_are_five_mistakes_for_each_backend_and_they_cover_every_phase():
    """Of those that tox.ini names: the one who merges a new backend adds both."""
    assert Counter(copy.backend for copy in WRONG_COPIES) == dict.fromkeys(listed_backends(), 5)
    assert {copy.phase for copy in WRONG_COPIES} == set(diagnosis.PHASES)


@pytest.mark.conformance
@pytest.mark.parametrize(
    "copy", mark_all_but_first(WRONG_COPIES, lambda copy: copy.backend), ids=map(name_of, WRONG_COPIES)
)
def test_a_wrong_copy_is_detected_and_named(copy, tmp_path):
    if (copy.backend, copy.variant) not in WANTED:
        pytest.skip(f"only {ONLY} is asked for, by BAKEOFF_BACKENDS")
    entry = ENTRIES[copy.backend].for_variant(copy.variant)
    reason_unavailable = launch.explain_unavailable(entry, copy.variant)
    if reason_unavailable:
        pytest.skip(reason_unavailable)
    folder = shutil.copytree(entry.folder, tmp_path / entry.name)
    (folder / copy.file).write_text(text_of(folder, copy).replace(copy.right, copy.wrong), encoding="utf-8")

    worker = entry.worker
    place = Place(
        python=environments.build(entry).python,
        folder=folder,
        log=tmp_path / "worker.log",
        thread_variables=worker.thread_variables,
        variables=worker.variables,
    )
    supported = networks.with_supported([Network("stress", "relu", True, "adam", copy.dtype)], entry.unsupported)
    case = cases.cases(supported[-1:])
    outcomes = list(suite.check_backend(lambda: Session(place), case, "cpu", copy.variant))

    sentence = next((outcome.explanation for outcome in outcomes if outcome.explanation), "none")
    print(sentence)
    statuses = [outcome.status for outcome in outcomes if outcome.measured and not outcome.known]
    assert max(statuses, key=("passes", "loses precision", "fails").index) == copy.status, sentence
    where, _, why = sentence.partition(", ")
    assert where.startswith(f"{copy.phase} "), sentence
    assert where.endswith(copy.array), sentence
    assert copy.cause in why, sentence
