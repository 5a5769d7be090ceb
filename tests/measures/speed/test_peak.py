"""The arithmetic of a step, and the machine's own matrix product."""

import json
import os

import numpy as np
import pytest
from bakeoff.measures.speed import peak
from bakeoff.portable.spec import Spec, initial_arrays


class Counting(np.ndarray):
    """Counts the operations of the matrix products it takes part in."""

    counted = 0

    def __array_ufunc__(self, ufunc, method, *inputs, **more):
        plain = [each.view(np.ndarray) if isinstance(each, Counting) else each for each in inputs]
        more = {name: value for name, value in more.items() if name != "out"}
        result = getattr(ufunc, method)(*plain, **more)
        if ufunc is np.matmul:
            Counting.counted += 2 * plain[0].shape[-1] * result.size
        return result.view(Counting) if isinstance(result, np.ndarray) else result


@pytest.mark.parametrize("hidden", [(), (5,), (6, 7), (3, 3, 3)])
def test_the_operations_are_those_that_the_oracle_carries_out(hidden):
    from bakeoff.portable.reference import Reference

    spec = Spec((4, *hidden, 3), "relu", True, 0.9, 1e-5, "sgd", 0.1, 0.9, 0.999, 1e-8, 8, "float64")
    rng = np.random.default_rng(0)
    oracle = Reference(spec)
    oracle.load(initial_arrays(spec, "he", 0))
    oracle.arrays = {name: array.view(Counting) for name, array in oracle.arrays.items()}
    Counting.counted = 0
    oracle.gradients(rng.standard_normal((8, 4)).view(Counting), rng.integers(0, 3, 8))
    inputs = 2 * 8 * spec.sizes[0] * spec.sizes[1]  # the oracle differentiates them too, and nobody asks for it
    assert peak.operations(spec.sizes, 8) == Counting.counted - inputs


def test_the_first_layer_has_no_gradient_for_its_input():
    assert peak.operations((10, 3), 2) == 2 * (2 * 2 * 10 * 3)


def test_the_rate_of_the_product_is_plausible_for_a_processor():
    rate = peak.measure(None, 1, "float32")
    assert 1e8 < rate < 1e13


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores cannot be chosen here")
def test_it_runs_on_the_given_cores(tmp_path, monkeypatch):
    core = max(os.sched_getaffinity(0))
    seen = tmp_path / "seen"
    spy = tmp_path / "spy.py"
    spy.write_text(
        f"import os, sys\nopen({str(seen)!r}, 'w').write(sys.argv[1] + os.environ['OMP_NUM_THREADS'])\nprint(1.0)\n"
    )
    monkeypatch.setattr(peak.peak, "__file__", str(spy))
    assert peak.measure((core,), 2, "float64") == 1.0
    assert seen.read_text() == f'{{"cores": [{core}], "dtype": "float64"}}2'


def test_the_product_is_computed_under_the_variables_of_a_worker(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("LD_PRELOAD", "")
    monkeypatch.setenv("PASSED_ON", "yes")
    spy = tmp_path / "spy.py"
    spy.write_text(f"import json, os\njson.dump(dict(os.environ), open({str(tmp_path / 'seen')!r}, 'w'))\nprint(1.0)\n")
    monkeypatch.setattr(peak.peak, "__file__", str(spy))
    peak.measure(None, 2, "float64", inherit=("PASSED_ON",))
    seen = json.loads((tmp_path / "seen").read_text())
    assert not {"OPENBLAS_CORETYPE", "LD_PRELOAD"} & set(seen)
    assert (seen["OPENBLAS_NUM_THREADS"], seen["PASSED_ON"]) == ("2", "yes")
