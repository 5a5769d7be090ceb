"""The model files, highlighted by Pygments, with the tokens of each line and what was counted in the whole."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ...common.errors import InputError
from ...measures.ease.explained import explain_file
from ...measures.ease.figures import API_NAMES, ATTRIBUTES, COUNTED, TOKENS
from ...registry import entries as registry_entries
from ..report import Report
from ..text import ABSENT, format_count, format_or_dash

LIGHT, DARK = "default", "github-dark"
"""The styles of Pygments: their colours are legible on the grounds of the page."""
NAMED = {API_NAMES: "Names of the framework's API", ATTRIBUTES: "Attributes"}


class SourceLine(NamedTuple):
    """A line of a model file."""

    html: str
    """Highlighted: Pygments escapes the text."""
    tokens: int
    notes: str


class Source(NamedTuple):
    """A model file."""

    name: str
    title: str
    file: str
    changed: bool
    """Whether the file has another number of tokens than the run counted in it."""
    counts: dict[str, str]
    names: dict[str, list[str]]
    lines: list[SourceLine]


def list_sources(report: Report) -> list[Source]:
    """Return the model file of every backend whose folder is here, in the order of their names."""
    return [source for name in sorted(report.header["backends"]) for source in _read_source(report, name)]


def write_code_styles() -> str:
    """Return the CSS of the highlighted code, for the light and the dark page; a print is always light."""
    from pygments.formatters import HtmlFormatter  # noqa: PLC0415  # an extra

    parts: list[str] = []
    for style, prefix in ((LIGHT, ".code"), (DARK, '[data-theme="dark"] .code')):
        listed = HtmlFormatter(style=style).get_style_defs(prefix).splitlines()  # type: ignore[no-untyped-call]
        rules = "\n".join(rule for rule in listed if rule.startswith(f"{prefix} .") and "background" not in rule)
        parts.append(f"@media screen {{\n{rules}\n}}" if style == DARK else rules)
    return "\n".join(parts)


def _read_source(report: Report, name: str) -> Iterator[Source]:
    folder = Path(report.header["plan"]["folders"].get(name, registry_entries.backends_folder() / name))
    try:
        entry = registry_entries.read_entry(folder)
        model = entry.folder / entry.description.model
        explained = explain_file(model, entry.description.import_name)
    except (InputError, OSError):
        return
    query = report.query
    yield Source(
        name,
        report.title(name),
        f"backends/{name}/{model.name}",
        sum(line.tokens for line in explained) != query.last(TOKENS, backend=name),
        {
            figure.name.replace("_", " "): format_or_dash(query.last(figure, backend=name), format_count)
            for figure in COUNTED
        },
        {words: _last_names(report, figure, name) for figure, words in NAMED.items()},
        [
            SourceLine(html, line.tokens, "; ".join(line.notes))
            for html, line in zip(_highlight(model), explained, strict=False)
        ],
    )


def _last_names(report: Report, figure: Any, backend: str) -> list[str]:
    rows = report.query.rows(figure, backend=backend)
    names = rows["names"].iloc[-1] if len(rows) else []
    return sorted(str(each) for each in names) if isinstance(names, list | tuple) else [ABSENT]


def _highlight(model: Path) -> list[str]:
    """Return the lines of a file as HTML; as they stand, escaped, where Pygments does not know their language."""
    from pygments import highlight  # noqa: PLC0415  # an extra
    from pygments.formatters import HtmlFormatter  # noqa: PLC0415  # as above
    from pygments.lexers import TextLexer, get_lexer_for_filename  # noqa: PLC0415  # as above
    from pygments.util import ClassNotFound  # noqa: PLC0415  # as above

    try:
        lexer = get_lexer_for_filename(model.name, stripnl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False)
    text = model.read_text(encoding="utf-8")
    return str(highlight(text, lexer, HtmlFormatter(nowrap=True))).removesuffix("\n").split("\n")
