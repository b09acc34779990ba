"""`pipeline()` and the pipelines: a model and what prepares its input, behind one call.

Mirrors the documentation pages `pipeline_tutorial` and `main_classes/pipelines`. The names in
`__init__.pyi` are imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
