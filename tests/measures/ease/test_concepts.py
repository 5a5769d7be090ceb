"""Concepts, and arguments that override a default: where each rule matches, and where it does not."""

import re
import textwrap

import pytest
from bakeoff.common.errors import InputError
from bakeoff.measures.ease.concepts import ARGUMENTS, RULES, SHAPES, rules_with
from bakeoff.measures.ease.count import count_file
from bakeoff.measures.ease.figures import CHANGE, FAILED, FIGURES
from bakeoff.registry.description import ConceptWords

from tests.measures.ease.models import MODELS
from tests.paths import ROOT

# Arguments


def test_arguments_are_keywords_of_the_frameworks_calls_with_their_lines(tmp_path):
    source = """
        import functools
        from torch import nn

        def layer(width, eps, momentum):
            mine(eps=eps, lr=3)
            return nn.BatchNorm1d(
                width,
                eps=eps,
                momentum=1 - momentum,
                affine=True,
            )

        norm = functools.partial(nn.BatchNorm1d, eps=1e-3)
        """
    (tmp_path / "model.py").write_text(textwrap.dedent(source))
    found = count_file(tmp_path / "model.py", ("torch",)).overriding_arguments
    assert [(each.what, each.line, each.text) for each in found] == [
        ("epsilon", 9, "eps=eps"),
        ("share kept of an average", 10, "momentum=1 - momentum"),
        ("epsilon", 14, "eps=0.001"),
    ]


def test_a_keyword_means_one_thing():
    words = [word for some in ARGUMENTS.values() for word in some]
    assert sorted(words) == sorted(set(words))


# Concepts: for each rule a text in which it holds, and where

EXAMPLES = {
    "session": [("with fw.Session() as session: pass", 2)],
    "graph": [("x = fw.placeholder(fw.float32)", 2), ("import fw.tensor as T\nx = T.matrix('x')", 3)],
    "scope": [("with fw.variable_scope('a'): pass", 2)],
    "tape": [("with fw.GradientTape() as tape: pass", 2), ("with fw.autograd.record(): pass", 2)],
    "gradient by call": [("g = fw.grad(f)", 2), ("loss.backward()", 2), ("g = tape.gradient(loss, x)", 2)],
    "gradient by hand": [("y = fw.exp(x)", None)],
    "gradient switched off": [("with fw.no_grad(): pass", 2), ("y = x.detach()", 2)],
    "gradients set to zero": [("optimiser.zero_grad()", 2), ("for p in net:\n    p.grad = None", 3)],
    "gradient summed": [("trainer.step(64)", 2), ("fw.adam(p, use_mean_gradient=True)", 2)],
    "optimiser stepped": [("optimiser.step()", 2), ("o.apply_gradients(g)", 2)],
    "fitted by the framework": [("net.fit(x, y)", 2), ("net.partial_fit(x, y)", 2)],
    "train or test switch": [
        ("net.eval()", 2),
        ("y = layer(x, training=True)", 2),
        ("def f(x, mine): pass\nf(1, mine=True)\nf(2, mine=False)", 3),
    ],
    "state threaded by hand": [
        ("state, loss = step(state, x)", 2),
        ("(a, b), c = f(b)", 2),
        ("g = fw.grad(f, has_aux=True)", 2),
    ],
    "nested state": [("p = fw.tree.map(f, p)", 2)],
    "variable object": [("v = fw.Variable(0)", 2), ("v.assign(1)", 2)],
    "subclass": [("class Net(fw.Module):\n    pass", 2)],
    "random key": [("k = fw.random.PRNGKey(0)", 2)],
    "compiled function": [("@fw.jit\ndef f(): pass", 2), ("f = fw.function(f)", 2), ("net.hybridize()", 2)],
    "told to the compiler": [("f = fw.jit(f, static_argnums=0)", 2)],
    "loop or branch by call": [("y = fw.lax.scan(f, x, xs)", 2)],
    "function transformed": [("f = fw.vmap(f)", 2)],
    "device placement": [("x = x.to('gpu')", 2), ("x = fw.zeros(3, device='gpu')", 2)],
    "output buffer": [("fw.exp(x, out=y)", 2)],
}


def places_of(tmp_path, concept, source):
    (tmp_path / "model.py").write_text(f"import fw\n{source}\n", encoding="utf-8")
    return [each.line for each in count_file(tmp_path / "model.py", ("fw",)).concepts if each.what == concept]


def test_every_concept_has_an_example():
    assert list(EXAMPLES) == [rule.concept for rule in RULES]
    assert {rule.shape for rule in RULES if rule.shape} == set(SHAPES)


@pytest.mark.parametrize(
    ("concept", "source", "line"), [(key, *each) for key, some in EXAMPLES.items() for each in some]
)
def test_a_concept_is_found_on_its_line(tmp_path, concept, source, line):
    assert line in places_of(tmp_path, concept, source)


@pytest.mark.parametrize(
    ("concept", "source"),
    [
        ("session", "class Session: pass\nSession()"),
        ("optimiser stepped", "class Mine:\n    def step(self): pass\nMine().step()"),
        ("optimiser stepped", "class Mine:\n    def __init__(self):\n        self.step = 1\nMine().step"),
        ("gradient summed", "def again(): pass\noptimiser.step(again)"),
        ("gradient by hand", "g = fw.grad(f)(fw.exp(x))"),
        ("gradient by hand", "class Mine: pass"),
        ("gradients set to zero", "class Mine:\n    def __init__(self):\n        self.grad = None"),
        ("train or test switch", "def train(): pass\ntrain()"),
        ("train or test switch", "def f(x, training): pass\nf(1, training=True)"),
        ("train or test switch", "def f(x, mine): pass\nf(1, mine=True)\nf(1, mine=x)"),
        ("state threaded by hand", "x = f(x)"),
        ("state threaded by hand", "a, b = f(c)"),
        ("compiled function", "import re\nre.compile('a')"),
        ("compiled function", "fw.nn.functional.relu(x)"),
        ("device placement", "def f(device): pass\nf(device='cpu')"),
        ("output buffer", "print(3, file=out)"),
        ("subclass", "class Base: pass\nclass Mine(Base): pass"),
    ],
)
def test_the_authors_own_words_show_no_concept(tmp_path, concept, source):
    assert places_of(tmp_path, concept, source) == []


def test_the_four_models_show_what_their_readers_know():
    found = {name: set(count_file(*model).distinct_concepts) for name, model in MODELS.items()}
    assert {"gradients set to zero", "train or test switch", "optimiser stepped"} <= found["pytorch"]
    assert {"state threaded by hand", "nested state", "compiled function"} <= found["jax_pure"]
    assert {"tape", "variable object", "compiled function"} <= found["tensorflow_core"]
    assert found["numpy_plain"] == {"gradient by hand", "output buffer"}


# The reference page


def test_the_reference_page_has_every_rule_and_every_figure():
    guide = (ROOT / "docs" / "reference" / "ease.md").read_text(encoding="utf-8")
    rows = {row.strip("| ").split(" | ")[0]: row for row in guide.splitlines() if row.startswith("| ")}
    for rule in RULES:
        shown = set(re.findall(r"`([^`]+)`", rows[rule.concept]))
        words = {*rule.names, *(f".{each}" for each in rule.attributes), *(f"{each}=" for each in rule.keywords)}
        assert shown == words, rule.concept
        assert rule.meaning in rows[rule.concept]
    for constant, words in ARGUMENTS.items():
        assert set(re.findall(r"`([^`]+)=`", rows[constant])) == set(words)
    headings = {heading.lower() for heading in rows}
    for figure in FIGURES:
        assert figure in (CHANGE, FAILED) or figure.name.replace("_", " ") in headings, figure.name


# A backend's own words


def concepts_of(tmp_path, source, own):
    (tmp_path / "model.py").write_text(textwrap.dedent(source))
    words = {concept: ConceptWords(documentation="https://abacus.example", **each) for concept, each in own.items()}
    return count_file(tmp_path / "model.py", ("abacus",), rules_with(words, "backend.toml")).distinct_concepts


SOURCE = """
    import abacus

    @abacus.BeadJit
    def step(x):
        with abacus.Context(TRAINING=1):
            return x.roll_back()
    """


def test_a_backend_adds_its_own_words_to_a_concept(tmp_path):
    assert concepts_of(tmp_path, SOURCE, {}) == ("gradient by hand",)
    own = {
        "compiled function": {"names": ["BeadJit"]},
        "train or test switch": {"keywords": ["TRAINING"]},
        "gradient by call": {"attributes": ["roll_back"]},
    }
    assert concepts_of(tmp_path, SOURCE, own) == ("compiled function", "gradient by call", "train or test switch")


def test_a_concept_that_there_is_not_is_an_error():
    words = {"compiled funktion": ConceptWords(names=["BeadJit"], documentation="https://abacus.example")}
    with pytest.raises(InputError, match=r"mine: `concepts`: there is no concept .* Did you mean `compiled function`"):
        rules_with(words, "mine")
