import pytest

from tests.cluster.machines import Machines


@pytest.fixture
def machines(tmp_path):
    """Return a cluster that the test may break."""
    found = Machines(tmp_path / "cluster")
    yield found
    found.stop()


@pytest.fixture(scope="module")
def module_machines(tmp_path_factory):
    found = Machines(tmp_path_factory.mktemp("cluster") / "whole")
    yield found
    found.stop()


@pytest.fixture
def whole_machines(module_machines):
    """Return a cluster that other tests use, too, without the notes of their jobs."""
    for path in (*module_machines.jobs.iterdir(), *module_machines.folder.glob("cache/cluster_results/*")):
        path.unlink()
    return module_machines
