"""DistilBERT (https://arxiv.org/abs/1910.01108); its names are imported on first use."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
