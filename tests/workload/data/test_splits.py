"""Splits, normalisation and the order of batches."""

import decimal

import numpy as np
import pytest
from bakeoff.workload.data import Dataset, batch_orders, load, split
from bakeoff.workload.spec import DataSpec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workload.data.tables import raw, refused, spec_for


def numbered(rows: int, classes: int) -> Dataset:
    """Return rows that are distinguishable by their first feature."""
    rng = np.random.default_rng(1)
    x = np.column_stack([np.arange(rows), rng.normal(5, 3, rows), rng.uniform(-1, 1, rows)])
    return raw(x, np.arange(rows) % classes)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(30, 200),
    classes=st.integers(2, 4),
    validation=st.floats(0.15, 0.35),
    test=st.floats(0.15, 0.35),
    seed=st.integers(0, 2**63 - 1),
)
def test_a_split_is_a_partition_that_leaks_nothing(
    rows: int, classes: int, validation: float, test: float, seed: int
) -> None:
    data = numbered(rows, classes)
    plain = DataSpec(normalisation="none", validation=validation, test=test)
    parts = split(data, spec_for(plain, seed=seed))
    together = np.concatenate([parts.x_train, parts.x_validation, parts.x_test])
    labels = np.concatenate([parts.y_train, parts.y_validation, parts.y_test])
    order = np.argsort(together[:, 0])
    np.testing.assert_array_equal(together[order], data.x)
    np.testing.assert_array_equal(labels[order], data.y)
    assert (len(parts.x_validation), len(parts.x_test)) == (round(validation * rows), round(test * rows))

    scaled = split(data, spec_for(DataSpec(validation=validation, test=test), seed=seed))
    np.testing.assert_allclose(scaled.x_train.mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(scaled.x_train.std(axis=0), 1, rtol=1e-13)
    np.testing.assert_array_equal(scaled.y_test, parts.y_test)
    np.testing.assert_allclose(scaled.x_test * scaled.std + scaled.mean, parts.x_test, rtol=1e-12, atol=1e-12)


def test_normalisation_equals_exact_arithmetic_on_the_training_rows() -> None:
    data = load(DataSpec())
    plain = split(data, spec_for(DataSpec(normalisation="none"), seed=3))
    scaled = split(data, spec_for(seed=3))
    n = len(plain.x_train)
    for column, values in enumerate(plain.x_train.T.astype(int).tolist()):
        mean = decimal.Decimal(sum(values)) / n
        std = (sum((value - mean) ** 2 for value in values) / n).sqrt() or decimal.Decimal(1)
        assert scaled.mean[column] == pytest.approx(float(mean), rel=1e-14)
        assert scaled.std[column] == pytest.approx(float(std), rel=1e-14)
        for ours, theirs in ((scaled.x_test, plain.x_test), (scaled.x_validation, plain.x_validation)):
            expected = [float((decimal.Decimal(value) - mean) / std) for value in theirs[:, column]]
            np.testing.assert_allclose(ours[:, column], expected, rtol=1e-12, atol=1e-13)


def test_normalisation_looks_at_the_training_rows_alone() -> None:
    data = numbered(60, 2)
    before = split(data, spec_for())
    held_out = ~np.isin(data.x[:, 0], np.round(before.x_train[:, 0] * before.std[0] + before.mean[0]))
    assert held_out.sum() == 24
    moved = data._replace(x=np.where(held_out[:, None], data.x * 100 + 7, data.x))
    after = split(moved, spec_for())
    np.testing.assert_array_equal(after.mean, before.mean)
    np.testing.assert_array_equal(after.std, before.std)
    np.testing.assert_array_equal(after.x_train, before.x_train)
    assert not np.array_equal(after.x_test, before.x_test)


def test_without_normalisation_values_stay() -> None:
    data = load(DataSpec())
    splits = split(data, spec_for(DataSpec(normalisation="none")))
    assert set(np.unique(splits.x_train)) <= set(range(17))
    np.testing.assert_array_equal(splits.mean, np.zeros(64))
    np.testing.assert_array_equal(splits.std, np.ones(64))


def test_a_column_constant_in_training_only_is_divided_by_1_and_noted() -> None:
    data = numbered(60, 2)
    train = split(data, spec_for(DataSpec(normalisation="none"))).x_train[:, 0].astype(int)
    x = data.x.copy()
    x[:, 2] = 0.3
    x[np.setdiff1d(np.arange(60), train), 2] = 0.8
    splits = split(data._replace(x=x), spec_for())
    np.testing.assert_array_equal(splits.x_train[:, 2], 0)
    np.testing.assert_array_equal(splits.x_test[:, 2], 0.5)
    assert splits.notes == ("Columns that are constant in the training rows only are divided by 1: `x2`.",)


def test_every_split_holds_the_classes_in_proportion() -> None:
    data = raw(np.arange(300.0).reshape(150, 2), np.repeat([0, 1, 2], [90, 40, 20]))
    splits = split(data, spec_for())
    for y, counts in ((splits.y_train, (54, 24, 12)), (splits.y_validation, (18, 8, 4)), (splits.y_test, (18, 8, 4))):
        np.testing.assert_array_equal(np.bincount(y), counts)


def test_the_split_follows_the_seed() -> None:
    data = numbered(60, 3)
    np.testing.assert_array_equal(split(data, spec_for(seed=5)).x_test, split(data, spec_for(seed=5)).x_test)
    assert not np.array_equal(split(data, spec_for(seed=5)).x_test, split(data, spec_for(seed=6)).x_test)


def test_a_class_of_three_rows_is_split_and_one_of_two_refused() -> None:
    data = raw(np.arange(400.0).reshape(200, 2), np.repeat([0, 1], [197, 3]))
    for seed in range(20):
        assert set(split(data, spec_for(seed=seed)).y_train.tolist()) == {0, 1}
    data = raw(np.arange(100.0).reshape(50, 2), np.repeat([0, 1], [48, 2]))
    refused(lambda: split(data, spec_for()), "class `1` has 2 rows: expected at least 3")


def test_splits_smaller_than_the_classes_are_refused() -> None:
    data = raw(np.arange(60.0).reshape(30, 2), np.arange(30) % 5)
    refused(lambda: split(data, spec_for(DataSpec(test=0.1))), "the test split would have 3 rows for 5 classes")
    few = DataSpec(validation=0.01)
    refused(lambda: split(data, spec_for(few)), "the validation split would have 0 rows", "`data.validation`")
    most = DataSpec(validation=0.45, test=0.45)
    refused(lambda: split(data, spec_for(most)), "the training split would have 2 rows", "more than 30 rows")


def test_a_class_that_the_test_split_uses_up_is_refused() -> None:
    data = raw(np.arange(400.0).reshape(200, 2), np.repeat([0, 1], [197, 3]))
    refused(
        lambda: split(data, spec_for(DataSpec(validation=0.1, test=0.7))),
        "raw cannot be split by class",
        "Change `data.validation` and `data.test`, or give more than 200 rows",
    )
    refused(
        lambda: split(data, spec_for(DataSpec(validation=0.05, test=0.9))),
        "raw: no training row is left of the class `1`",
    )


def test_fewer_training_rows_than_a_batch_are_refused() -> None:
    spec = spec_for(batch_size=64)
    refused(lambda: split(numbered(60, 2), spec), "36 training rows do not fill one batch of 64", "to at most 36")
    assert len(split(numbered(60, 2), spec_for(batch_size=36)).x_train) == 36


def test_values_beyond_the_runs_dtype_are_refused() -> None:
    data = numbered(60, 2)
    large = data._replace(x=data.x * 1e39)
    plain = DataSpec(normalisation="none")
    refused(lambda: split(large, spec_for(plain)), "values of `x0`, `x1`, `x2` are too large for float32")
    assert split(large, spec_for(plain, dtype="float64")).x_test.max() > 1e39
    assert np.abs(split(large, spec_for()).x_test).max() < 10
    beyond = data._replace(x=np.where(data.x == data.x[3], 1.7e308, -1.7e308))
    refused(lambda: split(beyond, spec_for(dtype="float64")), "too large for float64")


# Batch orders


@given(
    batch_size=st.integers(1, 20),
    batches=st.integers(1, 10),
    left_over=st.integers(0, 19),
    epochs=st.integers(1, 5),
    seed=st.integers(0, 2**63 - 1),
)
def test_an_epoch_visits_no_row_twice(batch_size: int, batches: int, left_over: int, epochs: int, seed: int) -> None:
    rows = batch_size * batches + left_over % batch_size
    orders = batch_orders(rows, batch_size, epochs, seed)
    assert orders.shape == (epochs * batches, batch_size)
    assert orders.dtype == np.int64
    assert orders.min() >= 0
    assert orders.max() < rows
    for epoch in orders.reshape(epochs, -1):
        assert len(set(epoch.tolist())) == batch_size * batches


def test_batch_orders_are_permutations_drawn_from_pcg64() -> None:
    rng = np.random.Generator(np.random.PCG64(7))
    first, second = rng.permutation(11), rng.permutation(11)
    expected = [first[:4], first[4:8], second[:4], second[4:8]]
    np.testing.assert_array_equal(batch_orders(11, 4, 2, seed=7), expected)


def test_batch_orders_follow_the_seed_and_go_on_from_epoch_to_epoch() -> None:
    np.testing.assert_array_equal(batch_orders(50, 5, 4, 1)[:20], batch_orders(50, 5, 2, 1))
    assert not np.array_equal(batch_orders(50, 5, 1, 1), batch_orders(50, 5, 1, 2))


def test_batch_orders_of_less_than_a_batch_are_refused() -> None:
    refused(lambda: batch_orders(3, 4, 1, 0), "3 training rows do not fill one batch of 4")
