"""Writing, token by token: `generate`, its settings, and what changes scores, stops and listens.

Read in this order: `configuration` (how to generate), `mixin` (`generate` itself), `inputs` and `settings`
(what it prepares), `decoding` (the loop); `logits_process`, `stopping_criteria`, `streamers` and `outputs`
hold what their names say. The names in `__init__.pyi` are imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
