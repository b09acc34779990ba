"""Data collators: a list of examples in, one batch of tensors out.

`padding` holds what all share; every other module is one collator, or one and its relative. The names in
`__init__.pyi` are imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
