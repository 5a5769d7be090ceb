import pytest

from tests.cluster.machines import Machines


@pytest.fixture
def machines(tmp_path):
    found = Machines(tmp_path / "cluster")
    yield found
    found.stop()
