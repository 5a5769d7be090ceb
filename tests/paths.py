"""Where the tests find what they read."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
"""Of the checkout."""
SAVED_RUN = ROOT / "tests" / "data" / "run"
"""A small run, kept for tests of what is made from records."""
REFERENCE_RUN = ROOT / "results" / "reference"
