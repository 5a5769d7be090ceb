"""What is counted of a model in Java, by hand."""

import pytest
from bakeoff.measures.ease.count import count_file
from bakeoff.measures.ease.explained import explain_file
from bakeoff.registry import entries

MODEL = """
import java.util.List;
import org.abacus.nn.Network;
import org.abacus.nn.layers.Dense;

public class Model extends Network {
    private final List<Dense> layers;

    @Override
    public double fit(int[] order) {
        for (int step = 0; step < order.length; step++) {
            if (step > 2) {
                layers.add(new Dense.Builder().width(3).build());
            } else if (step == 1) {
                net.train(order[step]);
            } else {
                layers.forEach(layer -> { layer.clear(); });
            }
        }
        return net.fit(new double[] {1, 2}).gradient();
    }

    void backward() {
        this.backward();
    }
}
"""


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "Model.java"
    path.write_text(MODEL, encoding="utf-8")
    return path


def test_lines_are_statements_and_headers(model):
    # 3 imports; class; field; annotation, method; for, if, statement, else if, statement, else, two statements (one in
    # the lambda, which ends in brackets and so is a part of the other); return; method, statement.
    assert count_file(model, ("abacus",)).lines == 3 + 1 + 1 + 2 + 7 + 1 + 2


def test_api_names_are_imported_classes_and_what_follows_a_dot(model):
    names = ("org.abacus.nn.Network", "org.abacus.nn.layers.Dense", "org.abacus.nn.layers.Dense.Builder")
    assert count_file(model, ("abacus",)).api_names == names
    assert count_file(model, ("other",)).api_names == ()


def test_concepts_are_those_of_the_framework_and_not_the_files_own(model):
    found = count_file(model, ("abacus",))
    assert [(each.what, each.text) for each in found.concepts] == [
        ("subclass", "extends Network"),
        ("train or test switch", ".train"),
        ("gradient by call", ".gradient"),
    ], "fit and backward are methods of the file"
    notes = [note for line in explain_file(model, ("abacus",)) for note in line.notes]
    assert notes == ["subclass: extends Network", "train or test switch: .train", "gradient by call: .gradient"]


def test_layout_and_comments_change_nothing(model):
    before = count_file(model, ("abacus",)).figures()
    model.write_text("/* Words; { } */" + MODEL.replace("{\n", "\n{ // so;\n").replace("; ", " ;\n"), encoding="utf-8")
    assert count_file(model, ("abacus",)).figures() == before


def test_every_java_model_has_lines_names_and_concepts():
    models = [each for each in entries.read_all().values() if each.description.model.endswith(".java")]
    assert models
    for entry in models:
        found = count_file(entry.folder / entry.description.model, entry.description.import_name)
        assert found.lines is not None
        assert found.lines > 50
        assert len(found.api_names) > 10
        assert "fitted by the framework" in found.distinct_concepts
