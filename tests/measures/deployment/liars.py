"""Exports and servers that lie: edits of a copy of the NumPy backend, each with what must be said of it."""

import shutil
import sys
from pathlib import Path

from bakeoff.measures.deployment.measure import Places
from bakeoff.measures.deployment.paths import list_paths
from bakeoff.registry import entries
from bakeoff.workers.launch import place_of

from tests.paths import ROOT

HONEST = ()
TRAINING_MODE = ("serve.py", "lambda a, scale: a * scale", "lambda a, scale: (a - a.mean(0)) / (a.std(0) + 1e-3)")
NO_NORMALISATION = ("serve.py", "lambda a, scale: a * scale", "lambda a, scale: a")
SINGLE_ANSWER = (
    "serve.py",
    "return powers / powers.sum(axis=1",
    "powers = powers.astype(np.float32)\n        return powers / powers.sum(axis=1",
)
SINGLE_INSIDE = (
    "serve.py",
    "    def predict(x):\n",
    "    steps = [(step, array.astype(np.float32)) for step, array in steps]\n\n    def predict(x):\n"
    "        return single(x.astype(np.float32)).astype(x.dtype)\n\n    def single(x):\n",
)
REFUSES_DOUBLE = (
    "serve.py",
    "    def predict(x):\n",
    "    def predict(x):\n        if x.dtype != np.float32:\n            raise TypeError('expected float32')\n",
)
PAIRS_ONLY = (
    "serve.py",
    "    def predict(x):\n",
    "    def predict(x):\n        if len(x) != 2:\n            raise ValueError('expected 2 rows')\n",
)
REMEMBERS = ("export.py", "    np.savez(", "    arrays['home'] = np.array(folder)\n    np.savez(")
READS_HOME = ("serve.py", "as arrays:\n", "as arrays:\n        os.listdir(str(arrays['home']))\n")
BORROWS = ("serve.py", "def npz(folder):\n", "def npz(folder):\n    from . import model\n")
NOTHING = ("export.py", '    np.savez(os.path.join(folder, "model.npz"), **arrays)\n', "")
DIES = ("serve.py", "    def predict(x):\n", "    def predict(x):\n        os._exit(7)\n")
NOT_A_NUMBER = ("serve.py", "return powers / powers.sum", "return np.nan * powers / powers.sum")
MIXES_UP = (
    "serve.py",
    "    def predict(x):\n",
    "    import time\n\n    shelf = {}\n\n    def predict(x):\n        shelf['x'] = x\n        time.sleep(0.002)\n"
    "        x = shelf['x']\n",
)
"""One row waits on a shelf that all requests share: right as long as nobody else asks."""
STUMBLES = (
    "serve.py",
    "    def predict(x):\n",
    "    import time\n\n    inside = []\n\n    def predict(x):\n        inside.append(x)\n        time.sleep(0.002)\n"
    "        alone = inside.pop() is x and not inside\n"
    "        if not alone:\n"
    "            if len(inside) % 2:\n"
    "                raise RuntimeError('two at a time')\n"
    "            return np.zeros((2, 3))\n",
)
"""Of two calls at a time one fails, or has an answer of another shape."""


def make_path(folder, *edits):
    """Copy the NumPy backend into the folder, edited; return its path of deployment, and where it runs: here."""
    home = folder / "abacus"
    shutil.copytree(ROOT / "backends" / "numpy_plain", home, ignore=shutil.ignore_patterns("__pycache__"))
    for name, right, wrong in edits:
        text = (home / name).read_text(encoding="utf-8")
        assert text.count(right) == 1, (name, right)
        (home / name).write_text(text.replace(right, wrong), encoding="utf-8")
    (path,) = list_paths([entries.read_entry(home)])
    place = place_of(path.entry, path.variant, Path(sys.executable), log=folder / "worker.log")
    return path, Places(place, place)
