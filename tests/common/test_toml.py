"""An error in a TOML file is explained in a sentence that names the file, the key, and the nearest valid key."""

import pytest
from bakeoff.common.errors import InputError
from bakeoff.common.toml import nearest, read_model
from pydantic import BaseModel, ConfigDict, RootModel


class Wheel(BaseModel):
    """A nested table."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    spokes: int = 32
    """How many."""
    radius: float
    """In metres."""


class Bell(BaseModel):
    """A table that has a name of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    tone: float
    """In hertz."""
    loudness: float = 1.0


class Cycle(BaseModel):
    """A whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    wheel: Wheel
    spare: Wheel | None = None
    colours: tuple[str, ...] = ()
    bells: dict[str, Bell] = {}


GOOD = 'name = "a"\nwheel.radius = 0.3\n'


def test_a_valid_file_is_read_into_the_model():
    assert read_model(Cycle, GOOD, "c.toml") == Cycle(name="a", wheel=Wheel(radius=0.3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "c.toml: not valid TOML: Invalid value (at end of document)"),
        (GOOD + "nam = 1", "c.toml: unknown key `nam`. Did you mean `name`?"),
        (GOOD + "wheel.spoke = 1", "c.toml: unknown key `wheel.spoke`. Did you mean `wheel.spokes`?"),
        (GOOD + "spare = {radius = 1.0, spoks = 1}", "c.toml: unknown key `spare.spoks`. Did you mean `spare.spokes`?"),
        (GOOD + "spokes = 1", "c.toml: unknown key `spokes`. Did you mean `wheel.spokes`?"),
        (GOOD + "wheel.xyz = 1", "c.toml: unknown key `wheel.xyz`. Valid here: `wheel.spokes`, `wheel.radius`."),
        ("name = 'a'\nwheel = 3", "c.toml: `wheel`: expected a table, got 3"),
        (GOOD + "colours = 3", "c.toml: `colours`: expected an array, got 3"),
        (GOOD + "wheel.spokes = '9'", "c.toml: `wheel.spokes`: expected a valid integer, got '9'"),
        ("name = 'a'\nwheel.spokes = 3", "c.toml: `wheel.radius` is missing: In metres."),
        ("wheel.radius = 0.3", "c.toml: `name` is missing: it has no default."),
        (GOOD + "bells.a = {}", "c.toml: `bells.a.tone` is missing: In hertz."),
        (GOOD + "bells.a = {tone = 1.0, ton = 1}", "c.toml: unknown key `bells.a.ton`. Did you mean `bells.a.tone`?"),
        (
            GOOD + "bells.a = {tone = 1.0, x = 1}",
            "c.toml: unknown key `bells.a.x`. Valid here: `bells.a.tone`, `bells.a.loudness`.",
        ),
        (GOOD + "bells.a = 3", "c.toml: `bells.a`: expected a table, got 3"),
        (GOOD + "bells = 3", "c.toml: `bells`: expected a table, got 3"),
    ],
)
def test_an_error_names_the_key_and_the_expected_value(text, message):
    with pytest.raises(InputError) as caught:
        read_model(Cycle, text, "c.toml")
    assert str(caught.value) == message


def test_all_errors_are_reported_at_once():
    with pytest.raises(InputError) as caught:
        read_model(Cycle, "wheel = {}\nnam = 1", "c.toml")
    assert [line.split()[1] for line in str(caught.value).splitlines()] == ["`name`", "`wheel.radius`", "unknown"]


def test_nearest_names_the_most_similar_word_or_all_words():
    assert nearest("eagr", ["eager", "compiled"]) == "Did you mean `eager`?"
    assert nearest("zzz", ["eager", "compiled"]) == "Valid here: `eager`, `compiled`."


class Bells(RootModel[dict[str, Bell]]):
    """A whole file: tables that have names of their own."""


@pytest.mark.parametrize(
    ("key", "suggestion"),
    [
        ("tune", "Did you mean `brass.tone`?"),
        ("xyz", "Valid here: `brass.tone`, `brass.loudness`."),
    ],
)
def test_a_file_of_named_tables_suggests_the_keys_of_a_table(key, suggestion):
    with pytest.raises(InputError) as caught:
        read_model(Bells, f"[brass]\ntone = 440.0\n{key} = 1.0\n", "bells.toml")
    assert str(caught.value) == f"bells.toml: unknown key `brass.{key}`. {suggestion}"


def test_a_file_of_named_tables_says_what_a_missing_key_is():
    with pytest.raises(InputError, match=r"`brass\.tone` is missing: In hertz"):
        read_model(Bells, "[brass]\n", "bells.toml")
