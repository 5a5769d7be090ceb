"""`bakeoff data` shows what would be read, and runs nothing."""

import json

import pytest
from bakeoff.cli import app
from typer.testing import CliRunner

ROWS = "\n".join(f"{n},{n % 7},{'yes' if n % 3 else 'no'}" for n in range(400))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(f"x,z,kind\n{ROWS}\n")
    return path


def invoke(*arguments):
    return CliRunner().invoke(app.app, ["data", *map(str, arguments)])


def test_columns_classes_and_notes_are_shown(table):
    result = invoke(table, "--target", "kind")
    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    assert "400 rows, 2 features, 2 classes" in said
    assert "x numbers feature" in said
    assert "no 134" in said
    assert "yes 266" in said


def test_json_has_the_classes_with_their_rows_in_each_split(table):
    found = json.loads(invoke(table, "--target", "kind", "--json").stdout)
    assert found["classes"] == {"no": 134, "yes": 266}
    assert {name: sum(parts) for name, parts in found["splits"].items()} == found["classes"]
    assert found["problem"] == ""


def test_a_spec_file_says_how_the_data_are_read(table, tmp_path):
    table.write_text(table.read_text().replace(",", ";"))
    spec = tmp_path / "my.toml"
    spec.write_bytes(b"\xef\xbb\xbf" + f'data.source = "{table}"\ndata.target = "kind"\ndata.drop = ["z"]\n'.encode())
    result = invoke(spec, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["features"] == 1


def test_data_that_cannot_be_trained_on_end_with_exit_code_1(table):
    result = invoke(table, "--target", "kind", "--batch-size", 1000)
    assert result.exit_code == 1
    assert "cannot be trained on as they are" in " ".join(result.stdout.split())


def test_a_batch_that_fits_makes_a_small_data_set_usable(tmp_path):
    path = tmp_path / "small.csv"
    path.write_text("x,kind\n" + "\n".join(f"{n},{n % 2}" for n in range(30)) + "\n")
    assert invoke(path, "--target", "kind").exit_code == 1
    assert invoke(path, "--target", "kind", "--batch-size", 8).exit_code == 0
