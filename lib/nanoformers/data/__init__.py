"""From data sets to batches: collators, and the older processors of GLUE, XNLI and SQuAD files.

Mirrors the documentation pages `main_classes/data_collator` and `main_classes/processors`. The names in
`__init__.pyi` are imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
