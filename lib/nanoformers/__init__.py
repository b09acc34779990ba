"""Transformer models small enough to read, with the public names of the Transformers documentation.

Everything below is imported on first use (`__init__.pyi` lists it, so editors complete the names):
`import nanoformers` loads neither torch nor the tokenizers.
"""

import lazy_loader

from . import _import_paths

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
_import_paths.install()
