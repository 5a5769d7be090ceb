"""The concepts that a reader of a model has to know, found by the rules below; docs/reference/ease.md shows them.

A rule lists words and names no framework. A name that the file itself defines matches no rule.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ...common.errors import InputError
from ...common.toml import nearest
from ...registry.description import ConceptWords
from .names import Names

GRADIENT_BY_HAND = "gradient by hand"
GRADIENT_TAKEN = ("gradient by call", "optimiser stepped", "fitted by the framework")
"""The concepts of which a file that has its gradients by hand has none."""


class Found(NamedTuple):
    """A concept, or an argument that overrides a default, found in a file."""

    what: str
    line: int | None
    """The line, counted from 1; None where the whole file shows it."""
    text: str
    """The name, keyword or assignment in the file."""


class Rule(NamedTuple):
    """A concept, and the words by which it is found."""

    concept: str
    meaning: str
    """What a reader has to know."""
    names: tuple[str, ...] = ()
    """Last parts of dotted names of the framework."""
    attributes: tuple[str, ...] = ()
    """Names after a dot on a value."""
    keywords: tuple[str, ...] = ()
    """Keywords in a call of a function that the file does not define."""
    shape: str = ""
    """The name in SHAPES of a form of code that no single word shows; "" where there is none."""


RULES = (
    Rule(
        "session",
        "what was built runs only inside an object that holds it",
        names=("Session", "InteractiveSession", "Executor"),
    ),
    Rule(
        "graph",
        "the computation is written down first, as a graph with inputs, and run later",
        names=(
            *("Graph", "placeholder", "Program", "program_guard", "default_main_program", "default_startup_program"),
            *("sym.Variable", "symbol.Variable", "input_variable", "NetSpec", "static.data"),
            *("tensor.matrix", "tensor.vector", "tensor.ivector", "tensor.lvector", "tensor.fmatrix", "tensor.dmatrix"),
        ),
    ),
    Rule(
        "scope",
        "names or variables live in a scope that is entered",
        names=("name_scope", "variable_scope", "scope_guard", "global_scope", "Scope", "unique_name.guard"),
    ),
    Rule(
        "tape",
        "what is to be differentiated is recorded while it runs",
        names=("GradientTape", "record"),
        attributes=("watch",),
    ),
    Rule(
        "gradient by call",
        "the framework is asked for the gradient",
        names=(
            *("grad", "value_and_grad", "gradient", "gradients", "vjp", "jvp", "jacrev", "jacfwd", "append_backward"),
            *("GradientTape", "record"),
        ),
        attributes=("backward", "gradient", "AddGradientOperators"),
    ),
    Rule(
        GRADIENT_BY_HAND,
        "nothing in the file asks for a gradient or trains: the derivatives are the author's",
        shape="no gradient requested",
    ),
    Rule(
        "gradient switched off",
        "a part must be kept out of the gradient",
        names=("no_grad", "inference_mode", "stop_gradient", "pause"),
        attributes=("detach", "requires_grad_", "stop_gradient"),
    ),
    Rule(
        "gradients set to zero",
        "gradients add up until they are cleared",
        attributes=(
            *("zero_grad", "clear_grad", "clear_grads", "clear_gradient", "clear_gradients", "cleargrads"),
            *("zerograds", "zero_grads", "zero_gradients"),
        ),
        shape="gradient set to None",
    ),
    Rule(
        "gradient summed",
        "the gradient is the batch's sum, and is divided somewhere",
        keywords=("rescale_grad", "use_mean_gradient", "unit_gain"),
        shape="step with the batch size",
    ),
    Rule(
        "optimiser stepped",
        "an object of the framework's holds the optimiser's state, and is told when to step",
        attributes=("step", "apply_gradients", "minimize", "apply_optimizer"),
    ),
    Rule(
        "fitted by the framework",
        "the loop over the batches is the framework's",
        attributes=("fit", "partial_fit", "train_on_batch", "train_step", "train_minibatch"),
    ),
    Rule(
        "train or test switch",
        "the network behaves otherwise in training, and must be told",
        names=("train_mode", "predict_mode", "set_learning_phase"),
        attributes=("train", "eval"),
        keywords=("training", "train", "is_training", "is_test", "deterministic", "use_running_average", "test_mode"),
        shape="flag with both values",
    ),
    Rule(
        "state threaded by hand",
        "state is handed in, and comes back new: nothing is changed in place",
        names=("apply_updates", "functional_call", "nnx.split", "nnx.merge"),
        keywords=("has_aux", "mutable"),
        shape="returned and passed again",
    ),
    Rule(
        "nested state",
        "parameters are a tree of containers, worked on leaf by leaf",
        names=("tree.map", "tree_map", "tree.leaves", "tree_leaves", "tree_flatten", "tree.flatten", "ravel_pytree"),
    ),
    Rule(
        "variable object",
        "what changes is a variable of the framework's, written through its methods",
        names=("Variable", "Parameter", "shared"),
        attributes=("assign", "assign_add", "assign_sub", "set_value", "set_data", "copy_"),
    ),
    Rule(
        "subclass",
        "the author's class inherits from one of the framework's, and keeps its rules",
        shape="inherits",
    ),
    Rule(
        "random key",
        "randomness is a value that is split and handed on",
        names=("PRNGKey", "random.key", "random.split", "random.fold_in", "Rngs"),
    ),
    Rule(
        "compiled function",
        "a function is traced and compiled: it runs once in Python, and its branches are taken then",
        names=("jit", "pjit", "compile", "function", "to_static", "jit.script", "jit.trace"),
        attributes=("hybridize",),
        keywords=("jit_compile",),
    ),
    Rule(
        "told to the compiler",
        "the compiler must be told what is static, given away or of which shape",
        keywords=(
            *("static_argnums", "static_argnames", "donate_argnums", "donate_argnames", "input_signature"),
            *("full_graph", "fullgraph", "dynamic", "reduce_retracing"),
        ),
    ),
    Rule(
        "loop or branch by call",
        "a loop, a branch or a list that grows is a call, as the compiler cannot see Python's",
        names=("scan", "while_loop", "fori_loop", "lax.cond", "lax.switch", "map_fn", "foldl", "TensorArray"),
    ),
    Rule(
        "function transformed",
        "a function is made of a function, by the batch, by the device or with less memory",
        names=("vmap", "pmap", "shard_map", "remat", "checkpoint"),
    ),
    Rule(
        "device placement",
        "where an array lives is said",
        names=("device", "device_put", "set_device", "CPUPlace", "CUDAPlace"),
        attributes=("to", "cuda", "cpu", "as_in_context", "copyto", "to_device"),
        keywords=("device", "ctx", "place"),
    ),
    Rule(
        "output buffer",
        "where a result is written is said, to save an allocation",
        keywords=("out",),
    ),
)
"""Every concept, in the order of the tables."""

ARGUMENTS = {
    "learning rate": ("lr", "learning_rate", "step_size"),
    "share kept of an average": (
        *("betas", "beta1", "beta2", "beta_1", "beta_2", "b1", "b2", "momentum", "alpha", "rho", "gamma1", "gamma2"),
        *("decay", "decay_rate", "moving_average_fraction", "normalization_time_constant"),
    ),
    "epsilon": ("eps", "epsilon", "delta"),
    "bias before batch norm": ("bias", "use_bias", "bias_attr", "no_bias"),
    "form of the loss": ("reduction", "from_logits"),
}
"""The constants that the spec fixes, and the keywords with which frameworks accept them in place of a default."""


def find_overriding_arguments(names: Names) -> tuple[Found, ...]:
    """Return every keyword of ARGUMENTS in a call of the framework, in the order of the lines."""
    meaning = {word: constant for constant, words in ARGUMENTS.items() for word in words}
    return _sort_by_line(
        Found(meaning[keyword.arg], keyword.value.lineno, f"{keyword.arg}={ast.unparse(keyword.value)}")
        for call in names.calls
        if _is_of_the_framework(call, names)
        for keyword in call.keywords
        if keyword.arg in meaning
    )


def find_concepts(names: Names, rules: Sequence[Rule] = RULES) -> tuple[Found, ...]:
    """Return every match of a rule, in the order of the lines; matches of the whole file come first."""
    found = [found for rule in rules for found in _apply_rule(rule, names)]
    if any(each.what in GRADIENT_TAKEN for each in found):  # by a word of the backend's own, too
        found = [each for each in found if each.what != GRADIENT_BY_HAND]
    return _sort_by_line(iter(found))


def rules_with(own: Mapping[str, ConceptWords], where: str) -> tuple[Rule, ...]:
    """Return the rules with a backend's own words for some concepts; `where` is how errors call its description.

    Raises InputError for a concept that there is not.
    """
    known = [rule.concept for rule in RULES]
    for concept in own:
        if concept not in known:
            raise InputError(f"{where}: `concepts`: there is no concept `{concept}`. {nearest(concept, known)}")
    return tuple(_extend(rule, own[rule.concept]) if rule.concept in own else rule for rule in RULES)


def _extend(rule: Rule, words: ConceptWords) -> Rule:
    return rule._replace(
        names=(*rule.names, *words.names),
        attributes=(*rule.attributes, *words.attributes),
        keywords=(*rule.keywords, *words.keywords),
    )


def _sort_by_line(found: Iterator[Found]) -> tuple[Found, ...]:
    return tuple(sorted(dict.fromkeys(found), key=lambda each: each.line or 0))


def _apply_rule(rule: Rule, names: Names) -> Iterator[Found]:
    for node, full in names.uses:
        if any(f".{full}".endswith(f".{word}") for word in rule.names):
            yield Found(rule.concept, node.end_lineno, full)
    for node in names.on_values:
        if node.attr in rule.attributes:
            yield Found(rule.concept, node.end_lineno, f".{node.attr}")
    for call in names.calls:
        for keyword in call.keywords:
            if keyword.arg in rule.keywords and not _is_own_keyword(call, keyword.arg, names):
                yield Found(rule.concept, keyword.value.lineno, f"{keyword.arg}=")
    if rule.shape:
        for line, text in SHAPES[rule.shape](names):
            yield Found(rule.concept, line, text)


def _is_of_the_framework(call: ast.Call, names: Names) -> bool:
    """Return whether a function of the framework is called, directly or through functools.partial."""
    if names.resolve(call.func) is not None:
        return True
    partial = isinstance(call.func, ast.Name | ast.Attribute) and ast.unparse(call.func).endswith("partial")
    return partial and bool(call.args) and names.resolve(call.args[0]) is not None


def _is_own_keyword(call: ast.Call, keyword: str, names: Names) -> bool:
    """Return whether a keyword belongs to a function that the file defines."""
    return not _is_of_the_framework(call, names) and (keyword in names.parameters or names.is_own(call.func))


# Forms of code that no single word shows

Shape = Callable[[Names], Iterator[tuple[int | None, str]]]


def _find_no_gradient(names: Names) -> Iterator[tuple[int | None, str]]:
    """Match a file that uses the framework where no rule for taking or using a gradient matches."""
    found = any(True for rule in RULES if rule.concept in GRADIENT_TAKEN for _ in _apply_rule(rule, names))
    if names.framework_names() and not found:
        yield None, "no gradient is requested"


def _find_gradient_set_to_none(names: Names) -> Iterator[tuple[int | None, str]]:
    for node in names.nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value is None:
            for target in node.targets:
                if isinstance(target, ast.Attribute) and target.attr == "grad" and not names.is_own(target):
                    yield node.lineno, ".grad = None"


def _find_step_with_batch(names: Names) -> Iterator[tuple[int | None, str]]:
    """Match an optimiser's `step` with an argument that is not a function of the file."""
    for call in names.calls:
        steps = isinstance(call.func, ast.Attribute) and call.func.attr == "step" and names.resolve(call.func) is None
        if steps and not names.is_own(call.func) and call.args and not names.is_own(call.args[0]):
            yield call.lineno, ".step(...)"


def _find_flag_with_both_values(names: Names) -> Iterator[tuple[int | None, str]]:
    """Match a parameter of a function in the file that is True in one call and False in another."""
    given: dict[str, list[tuple[bool, int]]] = {}
    for call in names.calls:
        for keyword in call.keywords:
            value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
            if keyword.arg in names.parameters and isinstance(value, bool):
                given.setdefault(keyword.arg, []).append((value, keyword.value.lineno))
    for word, calls in given.items():
        if len({value for value, _ in calls}) == 2:
            yield from ((line, f"{word}={value}") for value, line in calls)


def _find_returned_arguments(names: Names) -> Iterator[tuple[int | None, str]]:
    """Match a call whose result is unpacked into some of its arguments: `state, loss = step(state, x)`."""
    for node in names.nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Tuple):
            returned = [part.id for part in ast.walk(node.targets[0]) if isinstance(part, ast.Name)]
            handed = {part.id for part in node.value.args if isinstance(part, ast.Name)}
            again = [name for name in returned if name in handed]
            if again:
                yield node.lineno, ", ".join(again)


def _find_inheritance(names: Names) -> Iterator[tuple[int | None, str]]:
    for node in names.nodes:
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                full = names.resolve(base)
                if full is not None:
                    yield node.lineno, full


SHAPES: dict[str, Shape] = {
    "no gradient requested": _find_no_gradient,
    "gradient set to None": _find_gradient_set_to_none,
    "step with the batch size": _find_step_with_batch,
    "flag with both values": _find_flag_with_both_values,
    "returned and passed again": _find_returned_arguments,
    "inherits": _find_inheritance,
}
"""The forms of code that RULES refer to, by name."""
