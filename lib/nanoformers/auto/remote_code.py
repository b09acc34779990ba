"""Classes whose code is kept with a checkpoint, for the auto classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..dynamic_modules import get_class_from_dynamic_module, resolve_trust_remote_code

__all__ = ["remote_class", "where_to_look"]

_WHERE = ("cache_dir", "force_download", "local_files_only", "token", "use_auth_token", "revision")


def where_to_look(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `kwargs` that say where code is looked for."""
    return {name: kwargs[name] for name in _WHERE if kwargs.get(name) is not None}


def remote_class(
    auto_class: str,
    base: type,
    reference: str | None,
    name: str,
    *,
    trust_remote_code: bool | None,
    has_local_code: bool,
    **where: Any,
) -> Any | None:
    """Return the class that an `auto_map` names, None when there is none or the library's own is to be used.

    Args:
        auto_class: name of the auto class, under which the class is saved again.
        base: what it has to be a subclass of.
        reference: the entry of the `auto_map`.
        name: the checkpoint.
        trust_remote_code: what the caller said.
        has_local_code: whether there is a class of the library's own (or a registered one).
        where: `code_revision`, and where to look.

    Raises:
        ValueError: the code is needed and not trusted, or its class does not derive from `base`.
    """
    if not resolve_trust_remote_code(trust_remote_code, name, has_local_code, reference is not None):
        return None
    assert reference is not None
    found: Any = get_class_from_dynamic_module(reference, name, **where)
    if not issubclass(found, base):
        parents = ", ".join(f"{parent.__module__}.{parent.__name__}" for parent in found.__bases__)
        raise ValueError(
            f"{reference} of {name} is not derived from nanoformers.{base.__name__} (but from {parents}). "
            "Code that both libraries shall load begins with `try: from nanoformers import ...` and "
            "`except ImportError: from transformers import ...`."
        )
    found.register_for_auto_class(auto_class)
    return found
