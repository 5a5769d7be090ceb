"""Hard requirements: each a rule on what is recorded of a variant. What is not known is not met, and said."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ..common.errors import InputError
from ..common.toml import nearest
from ..measures.openness import licences
from .criteria import Key, Source, since_release

MAINTAINED_MONTHS = 12


class Answer(NamedTuple):
    """Whether a variant meets a requirement, and why it is said so."""

    met: bool
    why: str


class Requirement(NamedTuple):
    """A requirement as it was written, and its rule."""

    word: str
    rule: Callable[[Source, Key, "Facts"], Answer]

    def __call__(self, source: Source, key: Key, facts: "Facts") -> Answer:
        """Apply the rule."""
        return self.rule(source, key, facts)


class Facts(NamedTuple):
    """What a backend.toml says that older runs did not record."""

    devices: tuple[str, ...] | None = None
    python: str | None = None


def parse(text: str) -> list[Requirement]:
    """Return the requirements in `float64,licence:OSI`. Raises InputError for one that there is not."""
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
        raise InputError(f"--require {word}: {name} takes nothing after it. Write `{name}`.")
    raise InputError(f"--require {word}: no such requirement. {nearest(word, [*PLAIN, *EXAMPLES.values()])}")


# The rules


def _float64(source: Source, key: Key, _: Facts) -> Answer:
    checks = source.where("agreement", "check", key)
    checks = [row for row in checks if row.get("dtype") == "float64"]
    if not checks:
        return Answer(False, "unknown: this run checked nothing in float64 (agreement/check)")
    failed = [row["check"] for row in checks if row["value"] in ("fails", "known failure")]
    if failed:
        return Answer(False, f"in float64 it does not pass {failed[0]} (agreement/check)")
    return Answer(True, f"{len(checks)} checks in float64 passed (agreement/check)")


def _gpu(source: Source, key: Key, facts: Facts) -> Answer:
    if source.report.header["plan"]["device"] != "cpu":
        return Answer(True, f"this run was on {source.report.header['plan']['device']} (run.json)")
    record = source.last("deployment", "devices", key)
    devices = tuple(re.split(r",\s*", str(record["value"]))) if record else facts.devices
    where = "deployment/devices" if record else "backend.toml as it is today"
    if devices is None:
        return Answer(False, "unknown: no record deployment/devices, and no backend.toml of that name")
    others = [device for device in devices if device != "cpu"]
    said = f"its devices are {', '.join(devices)} ({where})"
    return Answer(bool(others), f"{said}, declared and not tried in this run" if others else said)


def _python(word: str, version: str) -> Callable[[Source, Key, Facts], Answer]:
    if not re.fullmatch(r"\d+\.\d+(\.\d+)?", version):
        raise InputError(f"--require {word}: expected a version of Python such as python:3.13, got {version!r}.")

    def rule(source: Source, key: Key, facts: Facts) -> Answer:
        record = source.last("deployment", "python", key)
        specifier = str(record["value"]) if record else facts.python
        where = "deployment/python" if record else "backend.toml as it is today"
        if specifier is None:
            return Answer(False, "unknown: no record deployment/python, and no backend.toml of that name")
        try:
            met = SpecifierSet(specifier).contains(version)
        except InvalidSpecifier:
            return Answer(False, f"unknown: {specifier!r} is no range of versions ({where})")
        return Answer(met, f"its pins are for Python {specifier} ({where})")

    return rule


def _licence(word: str, wanted: str) -> Callable[[Source, Key, Facts], Answer]:
    expression = licences.spdx(wanted)
    if wanted.upper() != "OSI" and expression is None:
        raise InputError(
            f"--require {word}: expected licence:OSI or an SPDX identifier such as licence:MIT, got {wanted!r}. "
            f"{nearest(wanted, ['OSI', *sorted(licences.APPROVED)])}"
        )
    allowed = licences.identifiers(expression or "")

    def rule(source: Source, key: Key, _: Facts) -> Answer:
        record = source.last("openness", "licence", key)
        if record is None:
            return Answer(False, "unknown: no record openness/licence")
        own = str(record["value"])
        said = f"its licence is {own} (openness/licence)"
        if wanted.upper() == "OSI":
            approved = licences.approved(own)
            return Answer(approved is True, f"unknown whether OSI-approved: {said}" if approved is None else said)
        return Answer(licences.allows(licences.spdx(own) or own, lambda one: one in allowed) is True, said)

    return rule


def _maintained(source: Source, key: Key, _: Facts) -> Answer:
    released, status = (source.last("openness", name, key) for name in ("last_release_date", "status"))
    months = since_release(released["value"], source.day) if released else None
    if released is None or months is None:
        return Answer(False, "unknown: no date in openness/last_release_date")
    said = f"last release {released['value']} (openness/last_release_date)"
    if status is not None and not str(status["value"]).lower().startswith("active"):
        return Answer(False, f"{status['value']} (openness/status); {said}")
    return Answer(months < MAINTAINED_MONTHS, said)


def _deterministic(source: Source, key: Key, _: Facts) -> Answer:
    answers = source.determinism(key)
    if not answers:
        return Answer(
            False, "unknown: no check.csv.gz in the run's folder (`bakeoff check --records RUN/check.csv.gz` writes it)"
        )
    other = [what for what, same in answers.items() if not same]
    said = f"other bits: {', '.join(other)}" if other else "the same bits every time"
    return Answer(not other, f"{said} (check.csv.gz/determinism)")


PLAIN: Mapping[str, Callable[[Source, Key, Facts], Answer]] = {
    "float64": _float64,
    "gpu": _gpu,
    "maintained": _maintained,
    "deterministic": _deterministic,
}
WITH_ARGUMENT = {"licence": _licence, "python": _python}
EXAMPLES = {"licence": "licence:OSI", "python": "python:3.13"}


def unmet(requirements: Sequence[Requirement], source: Source, key: Key, facts: Facts) -> list[str]:
    """Return a sentence for each requirement that a variant does not meet."""
    answers = [(each.word, each(source, key, facts)) for each in requirements]
    return [f"{word}: {answer.why}" for word, answer in answers if not answer.met]
