"""What a change costs, and what a backend has to declare about each change."""

import difflib
import random
import shutil

import pytest
from bakeoff.common.errors import InputError
from bakeoff.measures.ease import changes
from bakeoff.measures.ease.changes import CHANGES, edit_distance, find_patch, measure_changes, read_patched
from bakeoff.measures.ease.concepts import find_concepts
from bakeoff.measures.ease.names import Names
from bakeoff.measures.ease.text import format_python, tokenize_foreign

from tests import rules
from tests.measures.ease.changed_backends import ANSWERING, ENTRIES, diff, each_backend, each_patch, write_patched
from tests.other_backends import listed_backends

# Counting


def test_the_distance_is_what_is_deleted_and_inserted_at_the_least():
    assert edit_distance("kitten", "sitting") == 5  # k out, s in; e out, i in; g in
    assert edit_distance("", "abc") == edit_distance("abc", "") == 3
    assert edit_distance("abc", "abc") == 0


def test_the_distance_is_a_distance():
    rng = random.Random(0)
    words = ["".join(rng.choices("ab(", k=rng.randrange(12))) for _ in range(30)]
    for a, b, c in zip(words, words[1:], words[2:]):
        assert edit_distance(a, b) == edit_distance(b, a)
        assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)
        assert (edit_distance(a, b) == 0) == (a == b)
        matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
        assert edit_distance(a, b) <= len(a) + len(b) - 2 * sum(size for *_, size in matcher.get_matching_blocks())


def copied(name, parent):
    """Return a copy of a backend's folder that may be written to."""
    return shutil.copytree(ENTRIES[name].folder, parent / name)


def model_of(name):
    return ENTRIES[name].description.model


def cost(folder, change):
    (found,) = [
        each
        for each in measure_changes(folder, model_of(folder.name), ENTRIES[folder.name].description.import_name)
        if each.change == change
    ]
    return found


def rewrite(folder, change, state, edit):
    """Make the patch of this state anew, its model's text edited."""
    old = (folder / "model.py").read_text(encoding="utf-8")
    path = folder / "changes" / f"{change}.{state}.patch"
    new = read_patched(folder, "model.py", path)["model.py"]
    assert edit(new) != new
    path.write_text(diff(old, edit(new)), encoding="utf-8")


def test_reformatting_what_a_patch_puts_in_moves_nothing(tmp_path):
    folder = copied("numpy_plain", tmp_path)
    before = cost(folder, "optimiser")
    rewrite(
        folder,
        "optimiser",
        "after",
        lambda text: text.replace(
            "        self.s += np.multiply(self.g, self.g, out=self.scratch)\n        np.sqrt",
            '        """The sum of squares."""\n\n        # all of them\n        self.s += np.multiply(\n'
            "            self.g,\n            self.g,\n            out=(self.scratch),\n        )\n        np.sqrt",
        ),
    )
    assert cost(folder, "optimiser") == before


def test_a_bigger_change_costs_more_by_what_is_more_of_it(tmp_path):
    folder = copied("pytorch", tmp_path)
    before = cost(folder, "optimiser")
    rewrite(
        folder,
        "optimiser",
        "after",
        lambda text: text.replace(
            ", eps=epsilon)\n    return torch.optim.Adam(", ", eps=epsilon, foreach=True)\n    return torch.optim.Adam("
        ),
    )
    assert cost(folder, "optimiser") == before._replace(tokens=before.tokens + 4)


def test_the_counts_of_a_change_are_those_of_its_two_programs():
    """By hand: `, loss_of=loss_of` in the model; `torch.compile(...)` and the argument in what calls it."""
    found = cost(ENTRIES["pytorch"].folder, "compiled")
    assert (found.tokens, found.api_names) == (4, ("torch.compile",))
    assert (cost(ENTRIES["numpy_plain"].folder, "float64").tokens) == 4  # float32 out and float64 in, twice
    assert cost(ENTRIES["pytorch"].folder, "layer").api_names == ("torch.nn.LayerNorm",)


def test_what_a_framework_ships_costs_its_user_less_than_what_is_written_out():
    found = {name: cost(ENTRIES[name].folder, "optimiser").tokens for name in ANSWERING}
    assert found["pytorch"] < min(found["numpy_plain"], found["jax_pure"], found["tensorflow_core"]) / 2


def test_every_backend_that_tox_names_answers_the_changes():
    assert set(listed_backends()) <= set(ANSWERING)


@each_backend
def test_a_backend_answers_every_change_or_none(name):
    found = measure_changes(ENTRIES[name].folder, model_of(name), ENTRIES[name].description.import_name)
    assert [each.change for each in found] == list(CHANGES)
    for each in found:
        print(each)
        assert (each.tokens is None) == (each.answer == "not possible")
        assert (each.tokens, each.caller) != (0, 0) or each.answer == "nothing"


# Nothing is said silently


@pytest.mark.parametrize(
    ("corrupt", "message"),
    [
        (lambda home: (home / "changes.toml").unlink(), "changes.toml: cannot be read"),
        (lambda home: (home / "layer.after.patch").unlink(), "neither layer.before.patch nor layer.after.patch"),
        (lambda home: (home / "layer.patch").write_text(""), "layer.patch: expected only changes.toml and"),
        (lambda home: (home / "gpu.after.patch").write_text(""), "gpu.after.patch: expected only changes.toml and"),
        (lambda home: edit(home, "[layer]", "[layers]"), "unknown key `layers`"),
        (lambda home: edit(home, 'answer = "not possible"', 'answer = "no"'), "`gpu.answer`"),
        (lambda home: edit(home, 'documentation = "https', 'documentation = "see'), "documentation`"),
        (
            lambda home: edit(home, "[float64]", '[float64]\nconvention = "inside"'),
            "`float64.convention`: expected none",
        ),
        (
            lambda home: edit(home, "[optimiser]", '[optimiser]\nconvention = "within"'),
            "`optimiser.convention`: expected inside or float32 or from-1e-6 or fixed, got",
        ),
        (
            lambda home: (home / "layer.after.patch").write_text(
                diff((home.parent / "model.py").read_text(), "# more\n" + (home.parent / "model.py").read_text())
            ),
            "the patches of `layer` change no token",
        ),
    ],
)
def test_a_change_that_is_not_answered_as_it_should_be_is_refused(tmp_path, corrupt, message):
    folder = copied("numpy_plain", tmp_path)
    corrupt(folder / "changes")
    with pytest.raises(InputError) as refused:
        measure_changes(folder, "model.py", ("numpy",))
    assert message in str(refused.value)


def edit(home, old, new):
    path = home / "changes.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_backend_that_answers_no_change_has_none(tmp_path):
    folder = copied("numpy_plain", tmp_path)
    shutil.rmtree(folder / "changes")
    assert measure_changes(folder, "model.py", ("numpy",)) == []


@each_patch
def test_a_changed_backend_keeps_the_rules_of_backends(name, change, state, tmp_path):
    """The count would miss mathematics in an adapter, and a model that imports the harness shows no framework."""
    entry = ENTRIES[name]
    (tmp_path / "backends").mkdir()
    folder = write_patched(entry.folder, model_of(name), find_patch(entry.folder, change, state), tmp_path / "backends")
    assert not (folder / "changes").exists()
    for find_breaches in (
        rules.find_computations_in_adapters,
        rules.find_foreign_imports_in_adapters,
        rules.find_foreign_imports_in_models,
        rules.find_harness_imports_in_backends,
    ):
        assert find_breaches(tmp_path) == []


@each_backend
@pytest.mark.parametrize("change", ["float64", "gpu", "compiled"])
def test_a_program_before_its_change_has_nothing_of_it(name, change):
    entry = ENTRIES[name]
    if changes.read_changes(entry.folder)[change].answer != "patch":
        return
    # Without a patch, it is the backend as it stands.
    files = read_patched(entry.folder, model_of(name), find_patch(entry.folder, change, "before"))
    texts = [format_python(files[file], file) for file in files if file.endswith(".py")]
    tokens = {token.text for text in texts for token in text.tokens}
    tokens |= {
        token.text for file in files if not file.endswith(".py") for token in tokenize_foreign(files[file], file)
    }
    found = {each.what for text in texts for each in find_concepts(Names(text.tree, entry.description.import_name))}
    assert not {"float64": {"float64"}, "gpu": {"cuda"}, "compiled": set()}[change] & tokens
    if change == "compiled":
        assert not {"compiled function", "told to the compiler", "loop or branch by call"} & found
