"""The reference table of all figures, for docs/reference/records.md."""

from .vocabulary import HEAD, Figure, Vocabulary


def figures_as_markdown(vocabulary: Vocabulary) -> str:
    """Return one Markdown table a measure: its figures, their units, meanings and keys."""
    measures: dict[str, list[Figure]] = {}
    for figure in vocabulary.figures.values():
        measures.setdefault(figure.measure, []).append(figure)
    head = ", ".join(f"`{key}`" for key in HEAD)
    lines = [f"Every record has the keys {head}. A key in brackets is not in every record of its figure.", ""]
    for measure, figures in measures.items():
        lines += [f"### {measure}", "", "| figure | unit | meaning | keys |", "| --- | --- | --- | --- |"]
        lines += [_row(figure) for figure in figures]
        lines.append("")
    return "\n".join(lines)


def _row(figure: Figure) -> str:
    keys = [*(f"`{key}`" for key in figure.keys), *(f"(`{key}`)" for key in figure.optional)]
    cells = (f"`{figure.name}`", figure.unit, figure.meaning, ", ".join(keys))
    return f"| {' | '.join(cells)} |"
