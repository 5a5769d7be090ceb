"""Requirements: rules on the records of a variant. An unknown value does not meet one, and the answer says so."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ..common.errors import InputError
from ..common.toml import nearest
from ..measures.agreement.figures import CHECK
from ..measures.deployment.figures import DEVICES, PYTHON
from ..measures.openness import licences
from ..measures.openness.figures import FACTS
from .readings import months_since_release
from .run_records import CHECK_FILE, Key, RunRecords

MAINTAINED_MONTHS = 12


class Answer(NamedTuple):
    """Whether a variant meets a requirement, and the reason."""

    met: bool
    why: str


class Requirement(NamedTuple):
    """A requirement as the user wrote it, and its rule."""

    word: str
    rule: Callable[[RunRecords, Key, "DeclaredSupport"], Answer]

    def __call__(self, records: RunRecords, key: Key, support: "DeclaredSupport") -> Answer:
        """Apply the rule."""
        return self.rule(records, key, support)


class DeclaredSupport(NamedTuple):
    """What a backend.toml declares today: used where the run has no record of it."""

    devices: tuple[str, ...] | None = None
    python: str | None = None


def parse(text: str) -> list[Requirement]:
    """Return the requirements in `float64,licence:OSI`. Raises InputError for an unknown one."""
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise InputError(f"--require {text!r}: expected requirements such as float64,licence:OSI, got an empty one.")
    return [_requirement(word) for word in dict.fromkeys(words)]


def _requirement(word: str) -> Requirement:
    name, colon, argument = word.partition(":")
    if name in PLAIN and not colon:
        return Requirement(word, PLAIN[name])
    if name in WITH_ARGUMENT and argument:
        return Requirement(word, WITH_ARGUMENT[name](word, argument))
    if name in WITH_ARGUMENT:
        raise InputError(f"--require {word}: expected {EXAMPLES[name]}, got nothing after {name}:.")
    if name in PLAIN:
        raise InputError(f"--require {word}: {name} takes no argument. Write `{name}`.")
    raise InputError(f"--require {word}: there is no such requirement. {nearest(word, [*PLAIN, *EXAMPLES.values()])}")


# The rules


def _float64(records: RunRecords, key: Key, _: DeclaredSupport) -> Answer:
    checks = records.rows(CHECK, key, dtype="float64")
    if not checks:
        return Answer(False, "unknown: this run has no check in float64 (agreement/check)")
    failed = [row["check"] for row in checks if row["value"] in ("fails", "known failure")]
    if failed:
        return Answer(False, f"it fails the check {failed[0]} in float64 (agreement/check)")
    return Answer(True, f"{len(checks)} checks in float64 passed (agreement/check)")


def _gpu(records: RunRecords, key: Key, support: DeclaredSupport) -> Answer:
    if records.report.header["plan"]["device"] != "cpu":
        return Answer(True, f"this run was on {records.report.header['plan']['device']} (run.json)")
    record = records.last(DEVICES, key)
    devices = tuple(re.split(r",\s*", str(record["value"]))) if record else support.devices
    where = "deployment/devices" if record else "backend.toml today"
    if devices is None:
        return Answer(False, "unknown: there is no record deployment/devices, and no backend.toml of that name")
    if any(device != "cpu" for device in devices):
        listed = ", ".join(devices)
        return Answer(True, f"this backend declares the devices {listed} ({where}); they were not tried in this run")
    return Answer(
        False,
        f"not tested on a GPU: this backend declares the CPU only ({where}). This says nothing about the framework "
        "itself.",
    )


def _python(word: str, version: str) -> Callable[[RunRecords, Key, DeclaredSupport], Answer]:
    if not re.fullmatch(r"\d+\.\d+(\.\d+)?", version):
        raise InputError(f"--require {word}: expected a version of Python such as python:3.13, got {version!r}.")

    def rule(records: RunRecords, key: Key, support: DeclaredSupport) -> Answer:
        record = records.last(PYTHON, key)
        specifier = str(record["value"]) if record else support.python
        where = "deployment/python" if record else "backend.toml today"
        if specifier is None:
            return Answer(False, "unknown: there is no record deployment/python, and no backend.toml of that name")
        try:
            met = SpecifierSet(specifier).contains(version)
        except InvalidSpecifier:
            return Answer(False, f"unknown: {specifier!r} is no range of versions ({where})")
        return Answer(met, f"its pins are for Python {specifier} ({where})")

    return rule


def _licence(word: str, wanted: str) -> Callable[[RunRecords, Key, DeclaredSupport], Answer]:
    expression = licences.to_spdx(wanted)
    if wanted.upper() != "OSI" and expression is None:
        raise InputError(
            f"--require {word}: expected licence:OSI or an SPDX identifier such as licence:MIT, got {wanted!r}. "
            f"{nearest(wanted, ['OSI', *sorted(licences.APPROVED)])}"
        )
    allowed = licences.identifiers(expression or "")

    def rule(records: RunRecords, key: Key, _: DeclaredSupport) -> Answer:
        record = records.last(FACTS["licence"], key)
        if record is None:
            return Answer(False, "unknown: no record openness/licence")
        own = str(record["value"])
        reason = f"its licence is {own} (openness/licence)"
        if wanted.upper() == "OSI":
            approved = licences.is_approved(own)
            return Answer(
                approved is True, f"unknown whether it is OSI-approved: {reason}" if approved is None else reason
            )
        return Answer(licences.is_allowed(licences.to_spdx(own) or own, lambda one: one in allowed) is True, reason)

    return rule


def _maintained(records: RunRecords, key: Key, _: DeclaredSupport) -> Answer:
    released, status = (records.last(FACTS[name], key) for name in ("last_release_date", "status"))
    months = months_since_release(released["value"], records.day) if released else None
    if released is None or months is None:
        return Answer(False, "unknown: no date in openness/last_release_date")
    reason = f"last release {released['value']} (openness/last_release_date)"
    if status is not None and not str(status["value"]).lower().startswith("active"):
        return Answer(False, f"{status['value']} (openness/status); {reason}")
    return Answer(months < MAINTAINED_MONTHS, reason)


def _deterministic(records: RunRecords, key: Key, _: DeclaredSupport) -> Answer:
    answers = records.determinism(key)
    if not answers:
        return Answer(
            False,
            f"unknown: no {CHECK_FILE} in the run's folder (`bakeoff check --records RUN/{CHECK_FILE}` writes it)",
        )
    differing = [what for what, same in answers.items() if not same]
    reason = f"the bits differ: {', '.join(differing)}" if differing else "the same bits every time"
    return Answer(not differing, f"{reason} ({CHECK_FILE}/determinism)")


PLAIN: Mapping[str, Callable[[RunRecords, Key, DeclaredSupport], Answer]] = {
    "float64": _float64,
    "gpu": _gpu,
    "maintained": _maintained,
    "deterministic": _deterministic,
}
WITH_ARGUMENT = {"licence": _licence, "python": _python}
EXAMPLES = {"licence": "licence:OSI", "python": "python:3.13"}


def list_unmet(
    requirements: Sequence[Requirement], records: RunRecords, key: Key, support: DeclaredSupport
) -> list[str]:
    """Return a sentence for each requirement that a variant does not meet."""
    answers = [(each.word, each(records, key, support)) for each in requirements]
    return [f"{word}: {answer.why}" for word, answer in answers if not answer.met]
