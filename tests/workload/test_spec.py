"""A spec file: what is read from it, how a wrong one is explained, and when its hash changes."""

import json
import re
import tomllib
from importlib import resources

import pytest
from bakeoff.common.errors import InputError
from bakeoff.portable import spec as portable
from bakeoff.workload.spec import Spec, default_spec, parse, read_spec
from pydantic import ValidationError

DEFAULT = resources.files("bakeoff.workload").joinpath("default.toml").read_text(encoding="utf-8")

OTHER = {
    "data.source": "'iris.csv'",
    "data.target": "'species'",
    "data.normalisation": "'none'",
    "data.validation": "0.25",
    "data.test": "0.1",
    "data.separator": "';'",
    "data.decimal": "','",
    "data.encoding": "'latin-1'",
    "data.header": "false",
    "data.skip_lines": "2",
    "data.drop": "['id']",
    "data.missing": "'mean'",
    "data.categories": "'one-hot'",
    "data.split": "'part'",
    "network.hidden": "[64, 128]",
    "network.activation": "'tanh'",
    "network.batch_norm": "false",
    "network.bn_decay": "0.99",
    "network.bn_epsilon": "1e-6",
    "network.initial_weights": "'xavier'",
    "optimiser.name": "'sgd'",
    "optimiser.learning_rate": "0.01",
    "optimiser.beta1": "0.0",
    "optimiser.beta2": "0.99",
    "optimiser.epsilon": "1e-7",
    "training.batch_size": "32",
    "training.epochs": "31",
    "training.seed": "9223372036854775807",
    "training.dtype": "'float64'",
    "sweep.batch_size": "[16, 256]",
    "sweep.width": "[32, 512]",
    "sweep.depth": "[1, 4]",
    "sweep.dtype": "['float64']",
    "sweep.threads": "[1, 2]",
}
"""For every key, a valid value that is not the default."""


def error_of(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse(text, "my.toml")
    return str(caught.value)


def test_the_shipped_file_is_the_default():
    assert default_spec() == Spec() == parse("", "empty.toml")


def test_the_shipped_file_shows_every_key():
    assert {table: list(keys) for table, keys in tomllib.loads(DEFAULT).items()} == {
        table: list(section.model_dump()) for table, section in Spec()
    }


def test_every_value_in_the_file_is_read():
    spec = parse("\n".join(f"{key} = {value}" for key, value in OTHER.items()), "my.toml")
    for key, value in OTHER.items():
        table, name = key.split(".")
        read = getattr(getattr(spec, table), name)
        expected = tomllib.loads(f"value = {value}")["value"]
        assert read == (tuple(expected) if isinstance(expected, list) else expected), key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data =", "not valid TOML: Invalid value (at end of document)"),
        ("training.epoch = 3", "unknown key `training.epoch`. Did you mean `training.epochs`?"),
        ("netwrk.hidden = [2]", "unknown key `netwrk`. Did you mean `network`?"),
        ("batch_size = 3", "unknown key `batch_size`. Did you mean `training.batch_size`?"),
        ("data.beta1 = 0.9", "unknown key `data.beta1`. Did you mean `optimiser.beta1`?"),
        ("zzz = 1", "unknown key `zzz`. Valid here: `data`, `network`, `optimiser`, `training`, `sweep`."),
        ("optimiser = 3", "`optimiser`: expected a table, got 3"),
        ("data.source = ''", "`data.source`: expected at least 1 character, got ''"),
        ("data.source = 3", "`data.source`: expected a valid string, got 3"),
        ("data.validation = 1.5", "`data.validation`: expected less than 1, got 1.5"),
        ("data.test = 0", "`data.test`: expected greater than 0, got 0"),
        ("data.test = '0.2'", "`data.test`: expected a valid number, got '0.2'"),
        (
            "data = {validation = 0.6, test = 0.4}",
            "`data`: validation + test must leave rows to train on (a sum below 1), got 1",
        ),
        ("network.activation = 'rely'", "`network.activation`: expected 'relu', 'tanh' or 'sigmoid', got 'rely'"),
        ("network.hidden = 5", "`network.hidden`: expected an array, got 5"),
        ("network.hidden = [8, 0]", "`network.hidden[1]`: expected greater than or equal to 1, got 0"),
        ("network.hidden = [8.0]", "`network.hidden[0]`: expected a valid integer, got 8.0"),
        ("network.batch_norm = 1", "`network.batch_norm`: expected a valid boolean, got 1"),
        ("network.bn_epsilon = nan", '`network.bn_epsilon`: expected a finite number or "default", got nan'),
        ("network.bn_epsilon = inf", '`network.bn_epsilon`: expected a finite number or "default", got inf'),
        ("optimiser.beta1 = 1", '`optimiser.beta1`: expected less than 1 or "default", got 1'),
        ("optimiser.epsilon = 0", '`optimiser.epsilon`: expected greater than 0 or "default", got 0'),
        ("training.batch_size = 1", "`training.batch_size`: expected greater than or equal to 2, got 1"),
        ("training.seed = true", "`training.seed`: expected a valid integer, got True"),
        ("training.seed = -1", "`training.seed`: expected greater than or equal to 0, got -1"),
        ("sweep.batch_size = [16, 16]", "`sweep.batch_size`: expected each value once, got [16, 16]"),
        ("sweep.width = [0]", "`sweep.width[0]`: expected greater than or equal to 1, got 0"),
        (
            "network.hidden = []\nsweep.depth = [2]",
            "sweep.width and sweep.depth vary the hidden layers, but network.hidden has none",
        ),
        ("training.dtype = 32", "`training.dtype`: expected 'float32' or 'float64', got 32"),
    ],
)
def test_an_error_names_the_key_and_the_expected_value(text, message):
    assert error_of(text) == f"my.toml: {message}"


@pytest.mark.parametrize("key", OTHER)
def test_every_key_rejects_a_value_of_another_type(key):
    wrong = "{}" if key in ("network.hidden", "data.drop") or key.startswith("sweep.") else "[1]"
    assert re.match(rf"my\.toml: `{re.escape(key)}`: expected .+, got ", error_of(f"{key} = {wrong}"))


def test_more_than_64_hidden_layers_are_rejected():
    assert len(parse(f"network.hidden = {[1] * 64}", "my.toml").network.hidden) == 64
    assert "`network.hidden`: expected at most 64 items" in error_of(f"network.hidden = {[1] * 65}")


def test_all_errors_are_reported_at_once():
    lines = error_of("data.sorce = 'a'\nnetwork.activation = 'x'\ntraining.epochs = 0").splitlines()
    assert [re.search("`(.+?)`", line)[1] for line in lines] == ["data.sorce", "network.activation", "training.epochs"]
    assert all(line.startswith("my.toml: ") for line in lines)


def test_an_unreadable_file_is_an_error(tmp_path):
    (tmp_path / "latin.toml").write_bytes("# é".encode("latin-1"))
    for name, words in (
        ("none.toml", "no such spec file"),
        (".", "expected a TOML file, got a folder"),
        ("latin.toml", "cannot be read as UTF-8 text"),
    ):
        with pytest.raises(InputError) as caught:
            read_spec(tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: {words}")


def test_errors_name_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("training.epochs = 7\n", encoding="utf-8")
    assert read_spec(path).training.epochs == 7
    path.write_text("training.epochs = 0\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_spec(path)
    assert str(caught.value).startswith(f"{path}: `training.epochs`")


@pytest.mark.parametrize("key", OTHER)
def test_a_spec_cannot_be_changed(key):
    table, name = key.split(".")
    section = getattr(Spec(), table)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(section, name, getattr(section, name))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(Spec(), table, section)


# The hash


def test_the_hash_of_the_default_is_pinned():
    """Results are found by it. A change of it belongs in the changelog."""
    assert Spec().hash() == "f180c635eb00"


COMPARED = [key for key in OTHER if not key.startswith("sweep.")]
"""The keys that make another experiment; a sweep does not."""


@pytest.mark.parametrize("key", OTHER)
def test_the_hash_changes_with_every_key_except_those_of_the_sweep(key):
    assert (parse(f"{key} = {OTHER[key]}", "my.toml").hash() != Spec().hash()) is (key in COMPARED)


def test_different_changes_have_different_hashes():
    hashes = {parse(f"{key} = {OTHER[key]}", "my.toml").hash() for key in COMPARED}
    assert len(hashes) == len(COMPARED)
    assert len(OTHER) == sum(len(section.model_dump()) for _, section in Spec())


def test_the_hash_of_a_file_depends_neither_on_its_path_nor_on_how_it_is_read():
    """The hash of the data, which a comparison checks too, stands for both."""
    plain = parse("data = {source = 'd.csv', target = 'y'}", "my.toml").hash()
    for other in (
        "source = './d.csv'",
        "source = '/home/me/d.csv'",
        "source = 'd.parquet'",
        "source = 'd.txt', separator = ';', decimal = ',', encoding = 'latin-1', skip_lines = 1",
    ):
        assert parse(f"data = {{target = 'y', {other}}}", "my.toml").hash() == plain
    for other in (
        "target = 'z'",
        "target = 'y', missing = 'mean'",
        "target = 'y', drop = ['a']",
        "target = 'y', test = 0.3",
    ):
        assert parse(f"data = {{source = 'd.csv', {other}}}", "my.toml").hash() != plain
    sources = ("digits", "openml:iris", "openml:wine", "synthetic:100x3x2", "d.csv")
    assert len({parse(f"data.source = '{source}'", "my.toml").hash() for source in sources}) == len(sources)


def test_the_hash_ignores_layout_comments_and_order():
    backwards = [(table, list(reversed(keys.items()))) for table, keys in reversed(tomllib.loads(DEFAULT).items())]
    tables = "".join(
        f"\n[{table}]\n" + "".join(f"{key}={json.dumps(value)}\n" for key, value in keys) for table, keys in backwards
    )
    dotted = "".join(
        f"  {table}.{key} = {json.dumps(value)}  # why\n" for table, keys in backwards for key, value in keys
    )
    for text in (DEFAULT, tables, dotted):
        assert parse(text, "my.toml").hash() == Spec().hash()


@pytest.mark.parametrize(("one", "other"), [("0.0010", "1e-3"), ("1", "1.0"), ("1_000.0", "1e3")])
def test_the_hash_depends_on_the_value_not_on_its_spelling(one, other):
    specs = [parse(f"optimiser.learning_rate = {text}", "my.toml") for text in (one, other)]
    assert specs[0].hash() == specs[1].hash()


# The spec that a backend receives


def test_portable_returns_the_network():
    assert Spec().portable(features=64, classes=10) == portable.Spec(
        sizes=(64, 128, 64, 10),
        activation="relu",
        batch_norm=True,
        bn_decay=0.9,
        bn_epsilon=1e-5,
        optimiser="adam",
        learning_rate=0.001,
        beta1=0.9,
        beta2=0.999,
        epsilon=1e-8,
        batch_size=64,
        dtype="float32",
    )


def test_a_network_without_hidden_layers_is_softmax_regression():
    assert parse("network.hidden = []", "my.toml").portable(4, 3).sizes == (4, 3)


def test_portable_depends_on_all_keys_except_data_epochs_seed_and_sweep():
    default = Spec().portable(64, 10)
    unseen = {key for key, value in OTHER.items() if parse(f"{key} = {value}", "my.toml").portable(64, 10) == default}
    elsewhere = {key for key in OTHER if key.startswith(("data.", "sweep."))}
    assert unseen == elsewhere | {"network.initial_weights", "training.epochs", "training.seed"}
