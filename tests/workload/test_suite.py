"""Suite files: those that are shipped, and errors that say what to do."""

import pytest
from bakeoff.common.errors import InputError
from bakeoff.workload import data
from bakeoff.workload.spec import BUNDLED, DataSpec, default_spec
from bakeoff.workload.suite import bundled_suites, read_suite

TWO = '[[workload]]\nname = "one"\n[[workload]]\nname = "two"\n'


def test_the_bundled_suites_begin_with_the_default_spec():
    assert list(bundled_suites()) == ["full", "standard"]
    for name in bundled_suites():
        assert read_suite(name)[1].workload[0].spec == default_spec()


def test_full_begins_as_standard_does():
    standard, full = (read_suite(name)[1].workload for name in ("standard", "full"))
    assert full[: len(standard)] == standard


def test_standard_has_the_workloads_that_the_documentation_promises():
    told = {each.name: each for each in read_suite("standard")[1].workload}
    assert told["wide"].network.hidden == (1024, 1024)
    assert told["wide"].training.batch_size == 256
    assert len(told["deep"].network.hidden) == 16
    assert (told["one-row"].measure, told["one-row"].rows) == ("prediction", 1)
    assert (told["tanh-plain"].network.activation, told["tanh-plain"].network.batch_norm) == ("tanh", False)
    assert told["float64"].training.dtype == "float64"
    assert told["two-threads"].threads == 2
    assert told["large-batch"].training.batch_size == 4096


@pytest.mark.parametrize("name", ["standard", "full"])
def test_the_data_of_every_workload_have_rows_for_a_batch(name):
    for each in read_suite(name)[1].workload:
        splits = data.split(data.load(each.data, each.training.seed), each.spec)
        assert len(splits.y_train) >= each.training.batch_size


@pytest.mark.parametrize(("source", "shape", "classes"), [
    ("digits", (1797, 64), 10),
    ("iris", (150, 4), 3),
    ("wine", (178, 13), 3),
    ("breast-cancer", (569, 30), 2),
    ("mnist-5000", (5000, 784), 10),
])  # fmt: skip
def test_bundled_data_sets_are_read_without_a_network(source, shape, classes):
    assert source in BUNDLED
    found = data.load(DataSpec(source=source))
    assert found.x.shape == shape
    assert len(found.classes) == classes
    assert len(found.features) == shape[1]


def test_a_suite_of_ones_own_is_read_from_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf" + TWO.encode())  # with a byte order mark, as some editors write it
    name, suite = read_suite(str(path))
    assert (name, [each.name for each in suite.workload]) == ("mine", ["one", "two"])


@pytest.mark.parametrize(("text", "said"), [
    ('[[workload]]\nname = "one"\n', "expected two workloads or more, got 1"),
    (TWO.replace("two", "one"), "'one' twice"),
    (TWO.replace('"one"', '"one"\nmeasure = "prediction"'), "Put another one first"),
    (TWO.replace('"one"', '"one"\nthreads = 1'), "Put another one first"),
    (TWO + 'optimiser.epsilon = "default"\n', "Give a value"),
    (TWO + "rows = 0\n", "`workload[1].rows`"),
    (TWO + "network.hiden = [8]\n", "Did you mean `workload.network.hidden`?"),
    (TWO.replace('"one"', '"One network"'), "`workload[0].name`"),
])  # fmt: skip
def test_a_mistake_in_a_suite_file_is_named(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_suite(str(path))
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_unknown_suite_is_an_error_that_names_the_others():
    with pytest.raises(InputError, match=r"got 'standart'. Did you mean `standard`\?"):
        read_suite("standart")
    with pytest.raises(InputError, match="no such suite file"):
        read_suite("absent.toml")
