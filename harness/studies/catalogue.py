"""All studies, by name."""

from ..common.errors import InputError
from ..common.toml import nearest
from . import batch_norm_at_test_time, batch_norm_regularises, random_or_grid, softmax
from .study import Study

STUDIES: dict[str, Study] = {
    module.STUDY.name: module.STUDY
    for module in (
        softmax,
        batch_norm_at_test_time,
        random_or_grid,
        batch_norm_regularises,
    )
}


def find(name: str) -> Study:
    """Return the study of this name. Raises InputError for an unknown one."""
    if name not in STUDIES:
        raise InputError(f"no study `{name}`. {nearest(name, STUDIES)}")
    return STUDIES[name]
