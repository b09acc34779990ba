"""Training: `Trainer`, its arguments, its callbacks, and what works behind them.

Mirrors the documentation pages `training`, `main_classes/trainer`, `main_classes/callback` and
`internal/trainer_utils`. The names in `__init__.pyi` are imported on first use.
"""

import lazy_loader

from ..reproducibility import enable_full_determinism, set_seed

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["enable_full_determinism", "set_seed"]
