"""Shell completion of backends, runs and mistakes: reads the names of folders, and no adapter."""

import contextlib
import io
import os
import tomllib
from collections.abc import Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any

import typer

INSTRUCTION = "_BAKEOFF_COMPLETE"
"""The environment variable by which a shell asks for completions."""


def is_asked_by_bash() -> bool:
    """Return whether bash asks for completions."""
    return os.environ.get(INSTRUCTION) == "complete_bash"


def complete_in_bash(run: Callable[[], None]) -> None:
    """Let `run` print the completions, and print of each what bash inserts.

    Bash splits words at `:` and `=` (COMP_WORDBREAKS) and replaces only what stands after them.
    """
    known = join_words(os.environ)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            run()
        except SystemExit as ended:
            code = ended.code
        else:
            code = 0
    for line in printed.getvalue().splitlines():
        print(line.removeprefix(known))
    raise SystemExit(code)


def join_words(environment: MutableMapping[str, str]) -> str:
    """Join in COMP_WORDS the words that bash has split; return the start of the current value that bash keeps."""
    text, current = environment.get("COMP_WORDS", ""), int(environment.get("COMP_CWORD", "0"))
    separator = "\n" if "\n" in text else " "  # Typer's script puts line ends between the words
    pieces = text.split(separator)[: current + 1]
    pieces += [""] * (current + 1 - len(pieces))
    words: list[list[str]] = []
    after_break = False
    for piece in pieces:
        is_break = bool(piece) and set(piece) <= set(":=")
        if words and piece and (is_break or after_break):
            words[-1].append(piece)
        else:
            words.append([piece])
        after_break = is_break
    environment["COMP_WORDS"] = separator.join("".join(word) for word in words)
    environment["COMP_CWORD"] = str(len(words) - 1)
    if len(words[-1]) == 1:
        return ""
    option, _, value = "".join(words[-1]).partition("=")
    value = value if option.startswith("--") else "".join(words[-1])
    return value[: value.rfind(":") + 1]


def complete_backend(incomplete: str) -> list[str]:
    """Complete the name of a backend; after NAME: the name of a variant."""
    from ..registry.entries import backends_folder

    folder = backends_folder()
    name, colon, _ = incomplete.partition(":")
    if colon:
        return _keep_matching(incomplete, (f"{name}:{variant}" for variant in _read_variants(folder / name)))
    described = sorted(folder.glob("[!_.]*/backend.toml"))
    groups = dict.fromkeys(group for path in described for group in _read(path.parent).get("groups", {}))
    return _keep_matching(incomplete, [*(path.parent.name for path in described), *groups, "all"])


def complete_build(incomplete: str) -> list[str]:
    """Complete the name of a build that a backend declares."""
    from ..registry.entries import backends_folder

    described = sorted(backends_folder().glob("[!_.]*/backend.toml"))
    names = dict.fromkeys(name for path in described for name in _read(path.parent).get("builds", {}))
    return _keep_matching(incomplete, names)


def complete_backend_list(incomplete: str) -> list[str]:
    """Complete the last name of a list of backends that is separated by commas."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in complete_backend(last)]


def complete_run(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a run in the folder of --results, or its path."""
    results = Path(context.params.get("results") or "results")
    runs = sorted(path.parent for path in results.glob("*/run.json"))
    return _keep_matching(incomplete, (str(run) if "/" in incomplete else run.name for run in runs))


def complete_mistake(incomplete: str) -> list[str]:
    """Complete the name of a mistake."""
    from ..measures.mistakes.catalogue import MISTAKES

    return _keep_matching(incomplete, MISTAKES)


def complete_case(incomplete: str) -> list[str]:
    """Complete the name of a case of the checks."""
    from ..measures.agreement import selection

    return _keep_matching(incomplete, selection.case_names())


def complete_check(incomplete: str) -> list[str]:
    """Complete the name of a check."""
    from ..measures.agreement.checks import CHECKS

    return _keep_matching(incomplete, CHECKS)


def _keep_matching(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _read_variants(folder: Path) -> list[str]:
    return [str(variant) for variant in _read(folder).get("variants", ())]


def _read(folder: Path) -> dict[str, Any]:
    """Return a backend.toml; nothing where it cannot be read, as completion must not print errors."""
    try:
        return tomllib.loads((folder / "backend.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
