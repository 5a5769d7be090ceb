"""The generated parts of the pages, for the cog blocks in README.md and docs/: tables of the published runs.

    python -c "import sys; sys.path.insert(0, 'docs'); import generated; print(generated.fastest('results/reference'))"

A run folder's own tables/ are the source; no number is written here by hand. As a program it writes the JSON Schemas of
docs/reference.
"""

import json
from pathlib import Path

import pandas as pd
from bakeoff.measures.deployment import records
from bakeoff.measures.deployment import tables as tables_of
from bakeoff.registry.description import Description
from bakeoff.report.text import to_bullets, to_markdown
from bakeoff.workload.spec import Spec


def fastest(run: str) -> str:
    """Return a Markdown table of the fastest variant of each backend of a run, sorted by step time."""
    folder = Path(run)
    backends = json.loads((folder / "run.json").read_text(encoding="utf-8"))["backends"]
    rows = pd.read_csv(folder / "tables" / "summary.csv").dropna(subset=["step_s"]).sort_values("step_s")
    lines = [
        "| framework | variant | step time [95 % interval] | times the fastest | correct | tokens of code |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows.drop_duplicates("backend").to_dict("records"):
        step = f"{in_time(row['step_s'])} [{in_time(row['step_s_low'])}, {in_time(row['step_s_high'])}]"
        times = f"{row['times_fastest']:.2f} [{row['times_fastest_low']:.2f}, {row['times_fastest_high']:.2f}]"
        title = f"{backends[row['backend']]['title']} {row['version']}"
        cells = (title, f"`{row['backend']}:{row['variant']}`", step, times, row["correct"], f"{row['tokens']:,}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def table(run: str, name: str) -> str:
    """Return one of the Markdown files in a run's tables/, as it stands."""
    return (Path(run) / "tables" / f"{name}.md").read_text(encoding="utf-8").strip()


def deployment(path: str) -> str:
    """Return the tables of a file of `bakeoff deploy --records`, without columns that are empty, and what failed."""
    rows = records.read(Path(path))
    filled = [table.loc[:, ~table.eq(tables_of.ABSENT).all()] for table in tables_of.tabulate_all(rows).values()]
    return "\n\n".join([*map(to_markdown, filled), to_bullets(tables_of.describe_failures(rows))])


def in_time(seconds: float) -> str:
    """Return a time with three digits: `108 us`, `9.54 ms`."""
    return f"{1e6 * seconds:.3g} us" if seconds < 1e-3 else f"{1e3 * seconds:.3g} ms"


def schemas() -> dict[str, str]:
    """Return the JSON Schemas of docs/reference by file name: editors complete and check TOML files by them."""
    models = {"spec.schema.json": Spec, "backend.schema.json": Description}
    return {name: json.dumps(model.model_json_schema(), indent=1) + "\n" for name, model in models.items()}


if __name__ == "__main__":
    for file_name, text in schemas().items():
        (Path(__file__).parent / "reference" / file_name).write_text(text, encoding="utf-8")
