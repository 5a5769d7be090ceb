"""Requirements: rules on the records of a variant. An unknown value does not meet one, and the answer says so."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ..common.errors import InputError
from ..common.toml import nearest
from ..measures.agreement.figures import CHECK
from ..measures.deployment.figures import DEVICES, PYTHON
from ..measures.openness import licences
from ..measures.openness.figures import FACTS
from ..records.files import CHECK_FILE
from ..registry.entries import read_all
from ..registry.facts import Supports
from ..registry.fields import Fact
from .readings import months_since_release
from .run_records import Key, RunRecords

MAINTAINED_MONTHS = 12


MEASURED, SUPPORTED, DECLARED, FACT, UNKNOWN = (
    "measured here",
    "supported by the framework",
    "declared by this backend",
    "a dated fact",
    "unknown",
)
"""What an answer rests on. A missing test is not a missing ability: what nobody measured or wrote down is unknown."""


class Answer(NamedTuple):
    """Whether a variant meets a requirement, the reason, and what the answer rests on."""

    met: bool
    why: str
    basis: str
    """MEASURED, SUPPORTED, DECLARED, FACT or UNKNOWN."""


class Answered(NamedTuple):
    """The answer of a variant to a requirement."""

    name: str
    """`backend:variant`."""
    requirement: str
    met: bool
    basis: str
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
    framework: Supports | None = None
    """The table `[supports]`: facts about the framework."""


def read_support() -> dict[str, DeclaredSupport]:
    """Return what every backend.toml declares today, by backend."""
    described = {name: entry.description for name, entry in read_all().items()}
    return {name: DeclaredSupport(each.devices, each.python, each.supports) for name, each in described.items()}


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
    checks = records.table(CHECK, key, ["check", "value"], dtype="float64")
    if not len(checks):
        return Answer(False, "unknown: this run has no check in float64 (agreement/check)", UNKNOWN)
    failed = checks.loc[checks["value"].isin(("fails", "known failure")), "check"]
    if len(failed):
        return Answer(False, f"it fails the check {failed.iloc[0]} in float64 (agreement/check)", MEASURED)
    return Answer(True, f"{len(checks)} checks in float64 passed (agreement/check)", MEASURED)


def _gpu(records: RunRecords, key: Key, support: DeclaredSupport) -> Answer:
    if records.report.header["plan"]["device"] != "cpu":
        return Answer(True, f"this run was on {records.report.header['plan']['device']} (run.json)", MEASURED)
    record = records.last(DEVICES, key)
    devices = tuple(re.split(r",\s*", str(record["value"]))) if record else support.devices or ()
    where = "deployment/devices" if record else "backend.toml today"
    others = ", ".join(device for device in devices if device != "cpu")
    tested = "not tested on a GPU in this run"
    if support.framework is not None and support.framework.gpu is not None:
        only = "" if others or not devices else f"; this backend declares the CPU only ({where})"
        return _answer_fact("gpu", support.framework.gpu, bool(support.framework.gpu.value), f"{tested}{only}")
    if others:
        return Answer(True, f"this backend declares the devices {others} ({where}); {tested}", DECLARED)
    return Answer(False, f"unknown: {tested}, and backend.toml has no fact `supports.gpu`", UNKNOWN)


def _answer_fact(name: str, fact: Fact[Any], met: bool, note: str = "") -> Answer:
    """Return the answer that a dated fact about the framework gives."""
    said = "by its documentation" if met else "not supported by the framework"
    value = f": {', '.join(fact.value)}" if isinstance(fact.value, tuple) else ""
    return Answer(
        met, f"{said}{value} (supports.{name}: {fact.source}, {fact.asof}){f'; {note}' if note else ''}", SUPPORTED
    )


def _framework(name: str, wanted: str = "") -> Callable[[RunRecords, Key, DeclaredSupport], Answer]:
    """Return the rule on a key of `[supports]`; `wanted` is the word that a list must have."""

    def rule(_: RunRecords, __: Key, support: DeclaredSupport) -> Answer:
        fact: Fact[Any] | None = getattr(support.framework, name, None)
        if fact is None:
            return Answer(False, f"unknown: backend.toml has no fact `supports.{name}`", UNKNOWN)
        if not wanted:
            return _answer_fact(name, fact, bool(fact.value), "not measured here")
        if wanted.lower() in (each.lower() for each in fact.value):
            return _answer_fact(name, fact, True, "not measured here")
        listed = ", ".join(fact.value)
        return Answer(False, f"unknown: `supports.{name}` names {listed} ({fact.source}, {fact.asof})", UNKNOWN)

    return rule


def _named(name: str) -> Callable[[str, str], Callable[[RunRecords, Key, DeclaredSupport], Answer]]:
    return lambda _, wanted: _framework(name, wanted)


def _python(word: str, version: str) -> Callable[[RunRecords, Key, DeclaredSupport], Answer]:
    if not re.fullmatch(r"\d+\.\d+(\.\d+)?", version):
        raise InputError(f"--require {word}: expected a version of Python such as python:3.13, got {version!r}.")

    def rule(records: RunRecords, key: Key, support: DeclaredSupport) -> Answer:
        record = records.last(PYTHON, key)
        specifier = str(record["value"]) if record else support.python
        where = "deployment/python" if record else "backend.toml today"
        if specifier is None:
            return Answer(False, "unknown: no record deployment/python, and no backend.toml of that name", UNKNOWN)
        try:
            met = SpecifierSet(specifier).contains(version)
        except InvalidSpecifier:
            return Answer(False, f"unknown: {specifier!r} is no range of versions ({where})", UNKNOWN)
        return Answer(met, f"its pins are for Python {specifier} ({where})", DECLARED)

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
            return Answer(False, "unknown: no record openness/licence", UNKNOWN)
        own = str(record["value"])
        reason = f"its licence is {own} (openness/licence)"
        if wanted.upper() == "OSI":
            approved = licences.is_approved(own)
            if approved is None:
                return Answer(False, f"unknown whether it is OSI-approved: {reason}", UNKNOWN)
            return Answer(approved, reason, FACT)
        allows = licences.is_allowed(licences.to_spdx(own) or own, lambda one: one in allowed)
        return Answer(allows is True, reason, FACT)

    return rule


def _maintained(records: RunRecords, key: Key, _: DeclaredSupport) -> Answer:
    released, status = (records.last(FACTS[name], key) for name in ("last_release_date", "status"))
    months = months_since_release(released["value"], records.day) if released else None
    if released is None or months is None:
        return Answer(False, "unknown: no date in openness/last_release_date", UNKNOWN)
    reason = f"last release {released['value']} (openness/last_release_date)"
    if status is not None and not str(status["value"]).lower().startswith("active"):
        return Answer(False, f"{status['value']} (openness/status); {reason}", FACT)
    return Answer(months < MAINTAINED_MONTHS, reason, FACT)


def _deterministic(records: RunRecords, key: Key, _: DeclaredSupport) -> Answer:
    answers = records.determinism(key)
    if not answers:
        return Answer(
            False,
            f"unknown: no {CHECK_FILE} in the run's folder (`bakeoff check --records RUN/{CHECK_FILE}` writes it)",
            UNKNOWN,
        )
    differing = [what for what, same in answers.items() if not same]
    reason = f"the bits differ: {', '.join(differing)}" if differing else "the same bits every time"
    return Answer(not differing, f"{reason} ({CHECK_FILE}/determinism)", MEASURED)


PLAIN: Mapping[str, Callable[[RunRecords, Key, DeclaredSupport], Answer]] = {
    "float64": _float64,
    "gpu": _gpu,
    "tpu": _framework("tpu"),
    "mobile": _framework("mobile"),
    "distributed": _framework("distributed"),
    "maintained": _maintained,
    "deterministic": _deterministic,
}
WITH_ARGUMENT = {
    "licence": _licence,
    "python": _python,
    "export": _named("export"),
    "language": _named("languages"),
}
OFFERED = (
    "float64", "gpu", "tpu", "mobile", "distributed", "deterministic", "maintained", "licence:OSI", "python:3.13",
    "export:onnx",
)  # fmt: skip
"""The requirements that a page offers to choose from."""
EXAMPLES = {
    "licence": "licence:OSI",
    "python": "python:3.13",
    "export": "export:onnx",
    "language": "language:Python",
}


def describe_answers(answers: Sequence[Answer | Answered]) -> str:
    """Return in words how many variants meet a requirement, how many do not, and of how many it is unknown."""
    unknown = sum(not answer.met and answer.basis == UNKNOWN for answer in answers)
    met = sum(answer.met for answer in answers)
    missed = len(answers) - met - unknown
    if met == len(answers):
        return f"all {met} meet it"
    parts = [f"{missed} known not to"] if missed else []
    parts += [f"{unknown} unknown"] if unknown else []
    return f"{met} of {len(answers)} meet it; {', '.join(parts)}"


def answer_all(
    requirements: Sequence[Requirement], records: RunRecords, key: Key, support: DeclaredSupport
) -> list[Answered]:
    """Return the answer of a variant to each requirement."""
    answers = [(each.word, each(records, key, support)) for each in requirements]
    return [Answered(":".join(key), word, answer.met, answer.basis, answer.why) for word, answer in answers]
