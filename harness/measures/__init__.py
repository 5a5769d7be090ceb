"""What is measured: one folder for each measure, and VOCABULARY, the figures that all of them record.

A measure declares its figures in `figures.py`. Measures do not import each other.
"""

from ..records.vocabulary import Vocabulary
from .agreement.figures import FIGURES as AGREEMENT
from .deployment.figures import FIGURES as DEPLOYMENT
from .ease.figures import FIGURES as EASE
from .mistakes.figures import FIGURES as MISTAKES
from .openness.figures import FIGURES as OPENNESS
from .speed.figures import FIGURES as SPEED
from .training.figures import FIGURES as TRAINING

__all__ = ["VOCABULARY"]

VOCABULARY = Vocabulary((*EASE, *SPEED, *AGREEMENT, *TRAINING, *DEPLOYMENT, *OPENNESS, *MISTAKES))
