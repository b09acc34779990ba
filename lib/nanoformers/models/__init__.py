"""One folder an architecture: its configuration, its model, and what prepares the model's input."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["bert", "distilbert", "gpt2"])
