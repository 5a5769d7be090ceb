"""The conformance checks: plain functions, one sentence each.

A check takes a Subject and returns the deviations that it measured; suite.py compares them with the limits of case.py.
Where no deviation can be measured, the check calls `fail` with the reason.
"""

from collections.abc import Callable

import numpy as np

from ...common.arrays import Arrays
from ...portable import spec as portable
from ...workers.session import Trained
from .case import Case, Contract, Deviation, Quantity, Seen
from .subject import Subject, load_far_statistics


class CheckFailed(Exception):
    """A check failed; the message is the reason, with numbers."""


def fail(reason: str) -> None:
    """End a check: the backend fails it for this reason."""
    raise CheckFailed(reason)


Check = Callable[[Subject], list[Deviation]]


# Checks that measure a deviation


def check_forward(subject: Subject) -> list[Deviation]:
    """The loaded arrays give the test-mode probabilities of the oracle."""
    return subject.phase("forward")


def check_losses(subject: Subject) -> list[Deviation]:
    """The loss of every step equals that of the oracle: the mean over the batch, before the step."""
    return subject.phase("loss")


def check_gradients(subject: Subject) -> list[Deviation]:
    """Every gradient of the loss, through the batch statistics, equals that of the oracle."""
    return subject.phase("gradient")


def check_updates(subject: Subject) -> list[Deviation]:
    """Every parameter equals that of the oracle after 1, 10 and 100 steps."""
    return subject.phase("update")


def check_running_statistics(subject: Subject) -> list[Deviation]:
    """The running mean and variance equal those of the oracle after 1, 10 and 100 steps."""
    return subject.phase("running statistics")


def check_test_mode(subject: Subject) -> list[Deviation]:
    """After training, test mode gives the probabilities of the oracle, with the running statistics."""
    return subject.phase("test mode")


def check_test_mode_uses_running_statistics(subject: Subject) -> list[Deviation]:
    """Test mode normalises with the loaded running statistics, even if they are far from those of any batch."""
    return subject.measure(_far_statistics)


def _far_statistics(backend: Contract, case: Case) -> Seen:
    load_far_statistics(backend, case)
    return {Quantity("forward", "probabilities with loaded running statistics", 0): backend.predict(case.batch[0])}


def check_activation_at_zero(subject: Subject) -> list[Deviation]:
    """If every input of the first activation is 0, the gradients equal those of the oracle: relu has slope 0 there."""
    return subject.measure(_at_zero)


def _at_zero(backend: Contract, case: Case) -> Seen:
    # With these arrays at 0, every input of the first activation is exactly 0.
    zero = {"norm0/gamma", "norm0/beta"} if case.spec.batch_norm else {"dense0/kernel", "dense0/bias"}
    backend.load({name: 0 * array if name in zero else array for name, array in case.arrays.items()})
    gradients = backend.gradients(*case.batch)
    return {Quantity("gradient", f"{name} with zeros before the activation", 0): gradients[name] for name in gradients}


def check_large_logits(subject: Subject) -> list[Deviation]:
    """Logits in the thousands give a finite loss, finite probabilities and a finite update."""
    return subject.measure(_large_logits)


def _large_logits(backend: Contract, case: Case) -> Seen:
    arrays = dict(case.arrays)
    output = f"dense{len(case.spec.sizes) - 2}/bias"
    arrays[output] = np.linspace(-5000, 5000, len(arrays[output])).astype(arrays[output].dtype)
    backend.load(arrays)
    backend.put(case.x, case.y)
    probabilities = backend.predict(case.batch[0])
    losses = backend.train(case.order[:1])
    return {
        Quantity("forward", "probabilities of large logits", 0): probabilities,
        Quantity("loss", "of large logits", 1): losses,
        Quantity("update", output, 1): backend.dump()[output],
    }


def check_steps_add_up(subject: Subject) -> list[Deviation]:
    """Ten steps in one call of `train` give the results of ten steps."""
    return subject.measure(_ten_steps)


def _ten_steps(backend: Contract, case: Case) -> Seen:
    backend.load(case.arrays)
    backend.put(case.x, case.y)
    seen: Seen = {Quantity("loss", "of ten steps at once", 10): backend.train(case.order[:10])}
    for name, array in backend.dump().items():
        seen[Quantity("update", f"{name} by ten steps at once", 10)] = array
    return seen


# Checks of sizes: what a program computes must not depend on how many rows or steps it is given at a time


def check_predict_sizes(subject: Subject) -> list[Deviation]:
    """Test mode gives the probabilities of the oracle for one row, for a batch and for all test rows."""
    return subject.measure(_predict_sizes)


def _predict_sizes(backend: Contract, case: Case) -> Seen:
    load_far_statistics(backend, case)
    x, _ = case.all_test_rows
    return {
        Quantity("forward", f"probabilities of {rows} row{'s' if rows > 1 else ''}", 0): backend.predict(x[:rows])
        for rows in (1, case.spec.batch_size, len(x))
    }


def check_gradient_sizes(subject: Subject) -> list[Deviation]:
    """Every gradient equals that of the oracle for one row, for a batch and for all test rows."""
    return subject.measure(_gradient_sizes)


def _gradient_sizes(backend: Contract, case: Case) -> Seen:
    backend.load(case.arrays)
    x, y = case.all_test_rows
    # Batch norm on one row gives 0 whatever the row is, and some frameworks reject it. So there are two rows.
    fewest = 2 if case.spec.batch_norm else 1
    return {
        Quantity("gradient", f"{name} of {rows} row{'s' if rows > 1 else ''}", 0): gradient
        for rows in (fewest, case.spec.batch_size, len(x))
        for name, gradient in backend.gradients(x[:rows], y[:rows]).items()
    }


def check_train_sizes(subject: Subject) -> list[Deviation]:
    """A hundred steps in one call of `train` give the results of a hundred steps."""
    return subject.measure(_train_sizes)


def _train_sizes(backend: Contract, case: Case) -> Seen:
    steps = len(case.order)
    backend.load(case.arrays)
    backend.put(case.x, case.y)
    seen: Seen = {Quantity("loss", f"of {steps} steps at once", steps): backend.train(case.order)}
    for name, array in backend.dump().items():
        phase = "running statistics" if "running" in name else "update"
        seen[Quantity(phase, f"{name} by {steps} steps at once", steps)] = array
    return seen


# Checks that pass or fail


def check_softmax_example(subject: Subject) -> list[Deviation]:
    """Logits [5, 2, -1, 3] give the probabilities [0.842, 0.042, 0.002, 0.114]."""
    spec = subject.case.spec._replace(sizes=(3, 2, 4), batch_norm=False)
    arrays = portable.initial_arrays(spec, "he", 0)
    arrays["dense1/kernel"][:] = 0
    arrays["dense1/bias"][:] = (5, 2, -1, 3)
    subject.build(spec)
    subject.backend.load(arrays)
    row = subject.backend.predict(np.ones((1, 3), spec.dtype))[0]
    if [round(float(p), 3) for p in row] != [0.842, 0.042, 0.002, 0.114]:
        fail(f"softmax of [5, 2, -1, 3] is {np.round(row, 4).tolist()}, expected [0.842, 0.042, 0.002, 0.114]")
    return []


def check_arrays_survive(subject: Subject) -> list[Deviation]:
    """`dump` returns the loaded arrays, bit for bit."""
    rng = np.random.default_rng(1)
    dtype = subject.case.spec.dtype
    arrays = {name: rng.uniform(1, 2, array.shape).astype(dtype) for name, array in subject.case.arrays.items()}
    subject.start()
    subject.backend.load(arrays)
    _require_same_bits("loaded and dumped", subject.backend.dump(), arrays)
    return []


def check_arrays_are_copies(subject: Subject) -> list[Deviation]:
    """Training changes neither the arrays passed to `load` nor those returned by `dump`."""
    case = subject.case
    subject.start()
    loaded, dumped = subject.backend.aliases(case.arrays, case.x, case.y, case.order[:10])
    if loaded:
        fail(f"training changed arrays that were passed to load: {', '.join(loaded)}")
    if dumped:
        fail(f"training changed arrays that dump had returned: {', '.join(dumped)}")
    return []


def check_rows_are_independent(subject: Subject) -> list[Deviation]:
    """A row's probabilities do not depend on its neighbours in the batch."""
    case, backend = subject.case, subject.backend
    subject.start()
    backend.train(case.order[:10])
    x, _ = case.batch
    changed = x.copy()
    changed[1:] = 3 * changed[:0:-1] + 1
    before, after = backend.predict(x)[0], backend.predict(changed)[0]
    # The same program on the same row can differ by a few roundings of the logits at most.
    allowed = 128 * float(np.finfo(case.spec.dtype).eps)
    off = float(np.abs(before - after).max())
    if off > allowed:
        fail(f"probabilities of row 0 change by {off:.1e} with the other rows of the batch, allowed {allowed:.1e}")
    return []


def check_predict_changes_nothing(subject: Subject) -> list[Deviation]:
    """`predict` changes no array."""
    case, backend = subject.case, subject.backend
    subject.start()
    backend.predict(case.batch[0])
    _require_same_bits("before and after predict", backend.dump(), case.arrays)
    return []


def check_gradients_change_nothing(subject: Subject) -> list[Deviation]:
    """`gradients` changes no array, and does not change the training that follows."""
    case, backend = subject.case, subject.backend
    subject.start()
    backend.gradients(*case.batch)
    _require_same_bits("before and after gradients", backend.dump(), case.arrays)
    backend.train(case.order[:1])
    after = backend.dump()
    subject.start()
    backend.train(case.order[:1])
    _require_same_bits("one step with and without gradients before it", after, backend.dump())
    return []


def check_load_forgets(subject: Subject) -> list[Deviation]:
    """After `load`, training gives the same results as the first time: the optimiser state is reset too."""
    case, backend = subject.case, subject.backend
    subject.start()
    first = backend.train(case.order[:10])
    after = backend.dump()
    subject.start()
    second = backend.train(case.order[:10])
    _require_same_bits(
        "trained twice from the same arrays", {"losses": first, **after}, {"losses": second, **backend.dump()}
    )
    return []


def check_wait_waits(subject: Subject) -> list[Deviation]:
    """When `wait` returns, at most a quarter of the work remains."""
    case, backend = subject.case, subject.backend
    subject.start()
    backend.train(case.order[:10])
    short = backend.train_timed(case.order[:10], drain=True)
    # Long enough that the remaining work exceeds the noise of the clock.
    order = case.order[:10] if _total_seconds(short) > 0.05 else case.order
    backend.train(order)
    shares = []
    for _ in range(3):  # The least of three: background load can only add to the measured remainder.
        trained = backend.train_timed(order, drain=True)
        shares.append((trained.left_s or 0.0) / _total_seconds(trained))
    if min(shares) > 0.25:
        fail(f"{min(shares):.0%} of the work of train() remained after wait(), allowed 25%")
    return []


def _total_seconds(trained: Trained) -> float:
    return trained.wall_s + max(trained.left_s or 0.0, 0.0)


def _require_same_bits(what: str, arrays: Arrays, expected: Arrays) -> None:
    for name, array in expected.items():
        if not np.array_equal(arrays[name], array):
            off = float(np.abs(arrays[name].astype(np.float64) - array).max())
            fail(f"{what}: {name} differs by {off:.1e}, expected the same bits")


CHECKS: dict[str, Check] = {
    check.__name__.removeprefix("check_"): check
    for check in (
        check_arrays_survive,
        check_arrays_are_copies,
        check_forward,
        check_test_mode_uses_running_statistics,
        check_losses,
        check_gradients,
        check_updates,
        check_running_statistics,
        check_test_mode,
        check_activation_at_zero,
        check_large_logits,
        check_steps_add_up,
        check_predict_sizes,
        check_gradient_sizes,
        check_train_sizes,
        check_rows_are_independent,
        check_predict_changes_nothing,
        check_gradients_change_nothing,
        check_load_forgets,
        check_wait_waits,
        check_softmax_example,  # Comes last, because it builds another network.
    )
}

REJECTION = "rejection"
"""The only check of an unsupported case: the backend must reject it."""

SIZES = frozenset({"predict_sizes", "gradient_sizes", "train_sizes"})
"""Checks of other numbers of rows and steps: each may be another program to compile."""

ONCE_A_DTYPE = frozenset({"softmax_example", "wait_waits", *SIZES})
"""Checks that one case of each dtype is enough for."""

UNMEASURED = frozenset(
    {
        "arrays_survive",
        "arrays_are_copies",
        "rows_are_independent",
        "predict_changes_nothing",
        "gradients_change_nothing",
        "load_forgets",
        "wait_waits",
        "softmax_example",
    }
)
"""Checks that pass or fail, without a deviation in floors."""
