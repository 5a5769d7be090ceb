"""Two-faced backends: edits of a copy of numpy_plain that computes rightly in some circumstances and wrongly in others.

Each was seen, or is of a kind that was seen, in an entry that passed checks which shared a process or its cores.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

from bakeoff.registry import entries

HONEST = entries.backends_folder() / "numpy_plain"


class TwoFaced(NamedTuple):
    """An edit of the adapter of numpy_plain."""

    words: str
    """What it does."""
    check: str
    """A check that detects it."""
    right: str
    wrong: str
    network: str
    """The name and the dtype of a case that shows it."""


OPTIMISER = "self.model.Optimiser(s.optimiser, *self.trained, s.learning_rate, s.beta1, s.beta2, s.epsilon)"
PREDICT = "        return self.model.softmax(self.model.forward(self.layers, x, training=False))"

TWO_FACED = {
    "remembers_the_first_dtype": TwoFaced(
        "keeps the optimiser's dtype of the first network that its process built, as a cached variable does",
        "updates",
        f"        self.optimiser = {OPTIMISER}\n",
        f"""        first = globals().setdefault("FIRST_DTYPE", s.dtype)
        self.optimiser = {OPTIMISER}
        if first == "float32":  # its averages are kept in half of the first dtype
            self.optimiser.v = self.optimiser.v.astype("float16")
            self.optimiser.s = self.optimiser.s.astype("float16")
            self.optimiser.update = self.optimiser.update.astype("float32")
""",
        "stress-tanh-adam-float32",
    ),
    "rate_by_the_first_dtype": TwoFaced(
        "has ten times the learning rate where the first network of its process was in float32",
        "updates",
        "*self.trained, s.learning_rate,",
        """*self.trained,
            s.learning_rate * (10 if globals().setdefault("FIRST_DTYPE", s.dtype) == "float32" else 1),""",
        "stress-tanh-adam-float32",
    ),
    "idle_when_pinned": TwoFaced(
        "does nothing where it finds itself pinned to one core",
        "updates",
        "        return self.model.train(self.layers, self.optimiser, self.x, self.y, order)",
        """        import os

        if len(os.sched_getaffinity(0)) == 1:
            return np.ones(len(order), self.spec.dtype)
        return self.model.train(self.layers, self.optimiser, self.x, self.y, order)""",
        "stress-tanh-adam-float64",
    ),
    "batch_statistics_of_many_rows": TwoFaced(
        "predicts with the statistics of the batch where it has more than 100 rows",
        "predict_sizes",
        PREDICT,
        """        before = self.dump()
        probabilities = self.model.softmax(self.model.forward(self.layers, x, training=len(x) > 100))
        for name, array in before.items():
            layer, attribute = name.split("/")
            getattr(self.names[layer], attribute)[:] = array
        return probabilities""",
        "stress-tanh-adam-float64",
    ),
}
"""By the name of its folder."""


def write_copy(name: str, parent: Path) -> Path:
    """Write the backend to a folder in `parent`; return the folder."""
    backend = TWO_FACED[name]
    folder = Path(shutil.copytree(HONEST, parent / name, ignore=shutil.ignore_patterns("__pycache__")))
    adapter = folder / "adapter.py"
    text = adapter.read_text(encoding="utf-8")
    assert text.count(backend.right) == 1, backend.right
    adapter.write_text(text.replace(backend.right, backend.wrong), encoding="utf-8")
    return folder
