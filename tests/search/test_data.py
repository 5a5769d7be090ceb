"""The data of trials: what cannot be trained on is a sentence before anything runs; other data end a search."""

import pytest
from bakeoff.common.errors import InputError
from bakeoff.search import data
from bakeoff.search.space import parse

ROWS = "first,second,label\n" + "".join(f"{row},{row % 7},{'ab'[row % 2]}\n" for row in range(60))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    data.load_dataset.cache_clear()
    data.load_splits.cache_clear()
    return path


def file_of(table, more=""):
    text = f'spec.data.source = "{table}"\nspec.data.target = "label"\nspec.training.batch_size = 8\n{more}'
    return parse(text, "space.toml")


def test_trials_of_other_seeds_and_batches_load_a_file_once(table):
    found = file_of(table)
    for seed in range(3):
        splits = data.splits_of(found.spec_at({"training.seed": seed, "training.batch_size": 4 + seed}))
        assert len(splits.y_train) == 36
    assert data.load_dataset.cache_info().misses == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            'space.training.batch_size = { scale = "choice", values = [8, 512] }',
            "space.toml: `space.training.batch_size` has 512",
        ),
        (
            'space.data.source = { scale = "choice", values = ["TABLE", "none.csv"] }',
            "space.toml: `space.data.source` has 'none.csv'",
        ),
    ],
)
def test_data_that_cannot_be_trained_on_are_a_sentence(table, more, words):
    with pytest.raises(InputError, match=words):
        data.check_data(file_of(table, more.replace("TABLE", str(table))), "space.toml")


def test_a_range_that_replaces_a_wrong_value_of_the_spec_is_right(table):
    more = 'space.training.batch_size = { scale = "integer", low = 4, high = 8 }'
    found = file_of(table, more)
    large = found.spec.training.model_copy(update={"batch_size": 500})
    changed = found.model_copy(update={"spec": found.spec.model_copy(update={"training": large})})
    assert data.check_data(changed, "space.toml") == data.check_data(file_of(table), "space.toml")


def test_changed_data_end_a_search(table, tmp_path):
    found = file_of(table)
    before = data.check_data(found, "space.toml")
    data.require_same_data(found, tmp_path, before)
    table.write_text(ROWS.replace("59,3", "59,4"))
    data.load_dataset.cache_clear()
    data.load_splits.cache_clear()
    with pytest.raises(InputError, match="Start a new search"):
        data.require_same_data(found, tmp_path, before)
