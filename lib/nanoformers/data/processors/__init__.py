"""Processors of the files in which GLUE, XNLI and SQuAD are given out.

Mirrors the documentation page `main_classes/processors`. They are the older way: today
`datasets.load_dataset` reads these files and a tokenizer's call makes the inputs, which is why they warn. The
names in `__init__.pyi` are imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
