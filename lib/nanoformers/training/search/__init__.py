"""Hyperparameter search: many short trainings, each with other arguments, to find good ones.

Mirrors the documentation page `hpo_train`.
"""

from .backends import (
    ALL_HYPERPARAMETER_SEARCH_BACKENDS,
    OptunaBackend,
    RayTuneBackend,
    SearchBackend,
    SigOptBackend,
    WandbBackend,
    default_hp_search_backend,
)
from .results import BestRun, HPSearchBackend, default_compute_objective
from .search import hyperparameter_search
from .spaces import (
    SearchParameter,
    default_hp_space_optuna,
    default_hp_space_ray,
    default_hp_space_sigopt,
    default_hp_space_wandb,
    read_space,
)
from .trials import Trial, report_objective

__all__ = [
    "ALL_HYPERPARAMETER_SEARCH_BACKENDS",
    "BestRun",
    "HPSearchBackend",
    "OptunaBackend",
    "RayTuneBackend",
    "SearchBackend",
    "SearchParameter",
    "SigOptBackend",
    "Trial",
    "WandbBackend",
    "default_compute_objective",
    "default_hp_search_backend",
    "default_hp_space_optuna",
    "default_hp_space_ray",
    "default_hp_space_sigopt",
    "default_hp_space_wandb",
    "hyperparameter_search",
    "read_space",
    "report_objective",
]
