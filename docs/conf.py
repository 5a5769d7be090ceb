"""The documentation site: `tox run -e docs` builds it into docs/_build/html."""

import re
import shutil
from importlib.metadata import version as distribution_version
from pathlib import Path

from sphinx.application import Sphinx

project = "Bakeoff"
author = "The Bakeoff developers"
copyright = "The Bakeoff developers, BSD-3-Clause"
release = distribution_version("bakeoff")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build", "figures/*.py", "generated.py"]
source_suffix = {".md": "markdown"}

html_theme = "furo"
html_title = "Bakeoff"
html_static_path = ["figures"]
copybutton_prompt_text = "$ "

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"


# The pages read well without Sphinx: so what only the site needs is added here, and not in them.

CONTENTS = {
    "Tutorial": ["tutorial"],
    "How-to guides": ["how-to/*"],
    "Gallery": ["gallery/*"],
    "Reference": ["reference/*", "glossary"],
    "Explanation": ["explanation/*"],
    "Results": ["results", "mistakes", "nightly", "studies/*"],
    "Project": ["benchmarks/*", "adr/README", "adr/[0-9]*"],
}
"""The pages by the heading of the navigation; a page that fits no pattern is a warning, and so an error."""

HERE = Path(__file__).resolve().parent
BENCHMARKS = HERE / "benchmarks"
"""Where the pages of bench/ are copied to: Sphinx reads no page outside its own folder."""


def _copy_benchmarks(app: Sphinx) -> None:
    BENCHMARKS.mkdir(exist_ok=True)
    for page in (HERE.parent / "bench").glob("*.md"):
        shutil.copy(page, BENCHMARKS)


def _adapt(app: Sphinx, name: str, source: list[str]) -> None:
    """Add the navigation to the first page, and lead links between bench/ and docs/ to the copies."""
    if name == "index":
        for caption, patterns in CONTENTS.items():
            entries = "\n".join(each for each in patterns if any(HERE.glob(f"{each}.md")))
            source[0] += f"\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n\n{entries}\n```\n"
    elif name.startswith("benchmarks/"):
        source[0] = source[0].replace("](../docs/", "](/").replace("](data/", "](/../bench/data/")
        source[0] = re.sub(r"\]\((?=[a-z_]+\.py)", "](/../bench/", source[0])
    source[0] = re.sub(r"\]\((\.\./)+bench/(?=\w+\.md)", "](/benchmarks/", source[0])
    # What is in the repository alone is named on the site, and not linked.
    source[0] = re.sub(r"\[([^\]]+)\]\((?:\.\./)+(?:[A-Z]+\.md|results/\w+/?)(?:#[^)]*)?\)", r"\1", source[0])


def setup(app: Sphinx) -> None:
    """Register what is above."""
    app.connect("builder-inited", _copy_benchmarks)
    app.connect("source-read", _adapt)
