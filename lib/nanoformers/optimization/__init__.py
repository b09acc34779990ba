"""Optimizers and learning-rate schedules.

Mirrors the documentation page `main_classes/optimizer_schedules`. `schedules` holds the curves and
`get_scheduler`, `greedy` the one schedule that listens to the loss, `adamw` and `adafactor` the optimizers.
The names in `__init__.pyi` are imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
