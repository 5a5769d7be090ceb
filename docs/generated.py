"""The generated parts of the pages, for the cog blocks in README.md and docs/: tables of the published runs.

    python -c "import sys; sys.path.insert(0, 'docs'); import generated; print(generated.fastest('results/reference'))"

A run folder's own tables/ are the source; no number is written here by hand. As a program it writes the JSON Schemas of
docs/reference.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from bakeoff.measures.deployment import records
from bakeoff.measures.deployment import tables as tables_of
from bakeoff.measures.deployment.figures import HTTP_RATE, HTTP_TIMES, SERVE_LATENCY, SERVING_TIMES
from bakeoff.measures.deployment.latency import judge_self_test
from bakeoff.registry.description import Description
from bakeoff.report.text import to_bullets, to_markdown
from bakeoff.workload.spec import Spec

ROOT = Path(__file__).resolve().parent.parent


class Section(NamedTuple):
    """What docs/results.md says of a published run."""

    heading: str
    about: str
    command: str
    """It made the run, and makes it again elsewhere."""
    tables: tuple[str, ...] = ("summary",)
    """By the names of their files in tables/."""


SECTIONS = {
    "reference": Section(
        "The default backends",
        "NumPy, JAX, PyTorch and TensorFlow, in every variant that the default run has.",
        "bakeoff run",
    ),
    "all": Section(
        "Every backend and variant",
        "Every backend, in each variant that its name stands for. What is known without running anything (code, "
        "openness) was recorded again after the run, by the same functions: Keras's code had not been counted, as a "
        "patch of its changes did not apply.",
        "bakeoff run --backends all --new-shapes",
    ),
    "lecture": Section(
        "The frameworks of the lecture",
        "The frameworks of the lecture that this project began with, a row each; Caffe and Caffe2, one line of its "
        "slide, have two. PyTorch stands for Torch, as its heir.",
        "bakeoff run --backends lecture",
    ),
    "suite": Section(
        "By workload",
        "The default backends on eight workloads: the ranking on one network says little about the next one.",
        "bakeoff run --suite standard",
        ("suite", "summary"),
    ),
    "idiomatic": Section(
        "Idiomatic and tuned code",
        "The default backends, and each as the documentation of its framework teaches it.",
        "bakeoff run --backends numpy_plain,numpy_plain:idiomatic,jax_pure,jax_pure:idiomatic,tensorflow_core,"
        "tensorflow_core:idiomatic,pytorch,pytorch:idiomatic",
        ("code",),
    ),
    "upgrade": Section(
        "An upgrade",
        "JAX 0.10.2 beside JAX 0.6.0: `jax_0_6` is a copy of the folder `backends/jax_pure` with jax and jaxlib 0.6.0 "
        "in `requirements.txt`; all else is alike. The machine was busy; but the variants took turns, so the ratios "
        "are sound.",
        "bakeoff run --backends jax_0_6:step,jax_0_6:scan,jax_pure --rounds 3",
    ),
}
"""The places of published runs in results/, in the order of the page."""


def published() -> list[Path]:
    """Return the folders of the published runs, in the order of the page."""
    return [ROOT / "results" / name for name in SECTIONS if (ROOT / "results" / name / "run.json").exists()]


def results() -> str:
    """Return a section of Markdown for each published run."""
    parts = []
    for folder in published():
        section = SECTIONS[folder.name]
        parts += [f"## {section.heading}", f"{section.about} Made by `{section.command}`; raw values in"]
        parts[-1] += f" [results/{folder.name}](../results/{folder.name})."
        for number, name in enumerate(section.tables):
            content = table(str(folder), name)
            # Every table of a run begins with the same notes: they are shown once.
            parts.append(content if not number else content.partition("\n\n")[2])
    return "\n\n".join(parts)


def read_header(run: str) -> dict[str, Any]:
    """Return run.json of a run."""
    header: dict[str, Any] = json.loads((Path(run) / "run.json").read_text(encoding="utf-8"))
    return header


def read_summary(run: str) -> pd.DataFrame:
    """Return the timed variants of a run, the fastest first."""
    table = pd.read_csv(Path(run) / "tables" / "summary.csv")
    return table.dropna(subset=["step_s"]).sort_values("step_s", ignore_index=True)


def name_variant(header: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Return the framework and the variant of a row: `JAX (scan)`."""
    return f"{header['backends'][row['backend']]['title']} ({row['variant']})"


def picture(run: str) -> str:
    """Return the Markdown of the figure of the step times, with what it shows for those who do not see it."""
    header, rows = read_header(run), read_summary(run).to_dict("records")
    first, last = rows[0], rows[-1]
    shown = (
        f"Bar chart of the time of one training step for {len(rows)} variants: {name_variant(header, first)} is the "
        f"fastest, with {in_time(first['step_s'])}, and {name_variant(header, last)} is the slowest, with "
        f"{in_time(last['step_s'])}"
    )
    return f"![{shown}](docs/figures/step_times.svg)"


def finding(run: str) -> str:
    """Return in sentences how the fastest variants of the frameworks compare, and what that holds for."""
    header, rows = read_header(run), read_summary(run).rename(columns={"step_s": "seconds"})
    training, plan = header["spec"]["training"], header["plan"]
    threads = "one thread" if plan["threads"] == 1 else f"{plan['threads']} threads"
    return (
        f"On a small network ({describe_network(header)}), {compare(header, rows)}. This holds for {training['dtype']} "
        f"on {threads} of one {header['machine']['processor']} on {header['created'][:10]}, and for these versions."
    )


def finding_on(run: str, workload: str) -> str:
    """Return in a sentence how the fastest variants of the frameworks compare on one workload of a suite."""
    header, rows = read_header(run), pd.read_csv(Path(run) / "tables" / "suite.csv")
    (described,) = [each for each in header["suite"]["workloads"] if each["name"] == workload]
    rows = rows[rows["workload"].eq(workload)].dropna(subset=["seconds"]).sort_values("seconds", ignore_index=True)
    return f"On a network of {describe_network(described)}, {compare(header, rows)}."


def describe_network(found: Mapping[str, Any]) -> str:
    """Return the layers and the batch size, from run.json or from a workload in it."""
    data, spec = found["data"], found["spec"]
    layers = "-".join(map(str, (data["features"], *spec["network"]["hidden"], data["classes"])))
    return f"{layers}, batches of {spec['training']['batch_size']}"


def compare(header: Mapping[str, Any], rows: pd.DataFrame) -> str:
    """Return how many times the fastest's time the fastest variant of each other framework takes; rows are sorted."""
    first, *others = rows.drop_duplicates("backend").to_dict("records")
    behind = [f"{name_variant(header, row)} {row['times_fastest']:.2f} times as long" for row in others]
    return f"{name_variant(header, first)} takes {in_time(first['seconds'])} a training step, {', '.join(behind)}"


def fastest(run: str) -> str:
    """Return a Markdown table of the fastest variant of each backend of a run, sorted by step time."""
    backends, rows = read_header(run)["backends"], read_summary(run)
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


def deployment(path: str) -> str:
    """Return the tables of a file of `bakeoff deploy --records`, without columns that are empty, and what failed."""
    rows = records.read(Path(path))
    filled = [table.loc[:, ~table.eq(tables_of.ABSENT).all()] for table in tables_of.tabulate_all(rows).values()]
    return "\n\n".join([*map(to_markdown, filled), to_bullets(tables_of.describe_failures(rows))])


def deployment_times(path: str) -> str:
    """Return when and where the times in a file of `bakeoff deploy` were taken, and whether the self-test passed."""
    rows = records.read(Path(path))
    sentences = []
    for timed, figure, subject in (
        (SERVING_TIMES, SERVE_LATENCY, "Calls were timed"),
        (HTTP_TIMES, HTTP_RATE, "Rates over HTTP were measured"),
    ):
        days = [row["time"] for row in records.select(records.keep_one_machine(rows, timed), figure)]
        if days:
            sentences.append(f"{subject} on {in_days(days)}, on {records.list_machines(rows, timed)[0]}.")
    if not sentences:
        return "Nothing was timed in these records."
    if records.select(rows, SERVE_LATENCY):
        problem = judge_self_test(rows)
        passed = f"The self-test failed: {problem}. Do not compare latencies." if problem else "The self-test passed."
        sentences.insert(1, f"All paths were called in turn. {passed}")
    return " ".join(sentences)


def in_days(times: list[float]) -> str:
    """Return the first and the last day of some times."""
    days = sorted({time.strftime("%Y-%m-%d", time.gmtime(each)) for each in times})
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


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
