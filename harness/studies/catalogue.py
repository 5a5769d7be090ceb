"""All studies, by name."""

from ..common.errors import InputError
from ..common.toml import nearest
from . import (
    batch_norm_at_test_time,
    batch_norm_regularises,
    covariate_shift,
    log_scale,
    normalising_inputs,
    one_minus_beta,
    panda_or_caviar,
    random_or_grid,
    softmax,
)
from .study import Study

STUDIES: dict[str, Study] = {
    module.STUDY.name: module.STUDY
    for module in (
        softmax,
        random_or_grid,
        log_scale,
        one_minus_beta,
        panda_or_caviar,
        batch_norm_regularises,
        batch_norm_at_test_time,
        covariate_shift,
        normalising_inputs,
    )
}


def find(name: str) -> Study:
    """Return the study of this name. Raises InputError for an unknown one."""
    if name not in STUDIES:
        raise InputError(f"no study `{name}`. {nearest(name, STUDIES)}")
    return STUDIES[name]
