"""The generated parts of the pages, for the cog blocks in README.md and docs/: tables of the published runs.

    python -c "import sys; sys.path.insert(0, 'docs'); import generated; print(generated.fastest('results/reference'))"

A run folder's own tables/ are the source; no number is written here by hand. As a program it writes the JSON Schemas of
docs/reference.
"""

import json
from pathlib import Path

import pandas as pd
from bakeoff.registry.description import Description
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


def code_costs(run: str) -> str:
    """Return a Markdown table of what speed costs in code: one row a variant, by backend; a sentence where none is."""
    path = Path(run) / "tables" / "code.csv"
    if not path.exists():
        return "The published run has no variants that say how their code is."
    lines = [
        "| variant | code | tokens | time per step | times as fast [95 %] | times the tokens | for twice the speed |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in pd.read_csv(path).dropna(subset=["step_s"]).to_dict("records"):
        faster = f"{row['faster']:.2f} [{row['faster_low']:.2f}, {row['faster_high']:.2f}]"
        idiomatic = row["style"] == "idiomatic"
        ratios = ("", "") if idiomatic else (faster, f"{row['tokens_ratio']:.2f}")
        doubling = (
            "" if idiomatic else "not faster" if pd.isna(row["doubling_ratio"]) else f"x {row['doubling_ratio']:.2f}"
        )
        cells = (
            f"`{row['backend']}`",
            row["style"],
            f"{row['tokens']:,.0f}",
            in_time(row["step_s"]),
            *ratios,
            doubling,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def code_answer(run: str) -> str:
    """Return in a sentence the cheapest and the dearest doubling of speed among the variants of a run."""
    path = Path(run) / "tables" / "code.csv"
    rows = pd.read_csv(path).dropna(subset=["doubling_ratio"]) if path.exists() else pd.DataFrame()
    if not len(rows):
        return "No tuned variant of the published run is distinguishably faster than an idiomatic one."
    rows = rows.sort_values("doubling_ratio")
    ends = [rows.iloc[0], rows.iloc[-1]]
    told = [
        f"`{row['backend']}` is {row['faster']:.2f} times as fast as its idiomatic variant with "
        f"{row['tokens_ratio']:.2f} times the tokens ({row['doubling_ratio']:.2f} times for twice the speed)"
        for row in ends[: len(rows)]
    ]
    if len(rows) == 1:
        return f"One variant buys speed with code: {told[0]}."
    return f"The cheapest speed: {told[0]}. The dearest: {told[1]}."


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
