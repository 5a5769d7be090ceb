"""The extras of pyproject.toml: which one has a module that is not installed, and how to install it."""

MODULES = {
    "run": (
        "complexipy",
        "jinja2",
        "lizard",
        "lizard_languages",
        "markupsafe",
        "pandas",
        "pyarrow",
        "ruptures",
        "scipy",
        "sklearn",
        "tabulate",
    ),
    "figures": ("altair", "vl_convert"),
    "datasets": ("mlxtend",),
    "excel": ("openpyxl",),
    "cluster": ("distributed",),
    "sbom": ("cyclonedx", "packageurl"),
    "search": ("optuna", "sqlalchemy"),
}
"""By extra, the top-level modules that only it installs: pyproject.toml has the distributions, and a test compares."""


def find_extra(module: str | None) -> str | None:
    """Return the extra that installs a module; None where there is none."""
    top = (module or "").partition(".")[0]
    return next((extra for extra, modules in MODULES.items() if top in modules), None)


def describe_install(extra: str) -> str:
    """Return a sentence without its full stop: how to install an extra. No index of packages has Bakeoff."""
    return f"In a clone of Bakeoff: pip install '.[{extra}]'"
