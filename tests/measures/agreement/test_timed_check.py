import numpy as np
from bakeoff.measures.agreement import timed_check
from bakeoff.workload import networks


def steps_of(sizes, batch_size):
    spec = networks.spec_of(networks.DEFAULT)._replace(sizes=sizes, batch_size=batch_size)
    x = np.zeros((batch_size, sizes[0]), np.float32)
    return timed_check.TimedCheck(spec, {}, x, np.zeros(batch_size, np.int64)).steps


def test_a_large_network_is_compared_in_fewer_steps_and_never_in_one():
    assert steps_of((64, 128, 64, 10), 64) == timed_check.STEPS
    assert timed_check.LEAST_STEPS < steps_of((64, 128, 64, 10), 4096) < timed_check.STEPS
    assert steps_of((784, 1024, 1024, 10), 256) == timed_check.LEAST_STEPS
