"""Small trainable parts on a frozen model: LoRA, (IA)³, AdaLoRA and prompt tuning, in PEFT's file format.

Read in this order: `layers` (how an adapter sits on a layer), `lora` and its neighbours (one file a method),
`targets` (which layers get one), `files` (how they are stored) and `mixin` (what a model can do with them).
The names in `__init__.pyi` are imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
