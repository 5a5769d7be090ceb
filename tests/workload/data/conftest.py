"""Fixtures of the tests of data sets."""

from pathlib import Path

import pytest

from tests.workload.data.tables import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
