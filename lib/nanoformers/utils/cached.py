"""Attributes that are computed once."""

from __future__ import annotations

from typing import Any

__all__ = ["cached_property"]


class cached_property(property):  # noqa: N801 - the documented name
    """A property that is computed on first use and then kept, as `__cached_<name>`.

    Unlike `functools.cached_property` it cannot be assigned to, and None is not kept: the function is called
    again until it has something to say.
    """

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Return the value, or the property itself when asked of the class."""
        if instance is None:
            return self
        if self.fget is None:
            raise AttributeError("unreadable attribute")
        name = f"__cached_{self.fget.__name__}"
        value = getattr(instance, name, None)
        if value is None:
            value = self.fget(instance)
            setattr(instance, name, value)
        return value
