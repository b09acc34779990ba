"""What a class needs around the library: an embedded hub, course data, exercises, and a notebook runner.

The names below are imported on first use: `import classroom` loads neither torch nor a server nor a client.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
