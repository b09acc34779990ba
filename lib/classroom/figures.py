"""Figures that everybody can read: a picture in the notebook, and its content in words."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image


def show(picture: Figure | Image, alt: str) -> None:
    """Display a matplotlib figure or a PIL picture as PNG, with alternative text for those who cannot see it.

    The text is the output's plain-text form and the `alt` of its metadata, which the HTML export uses.

    Args:
        picture: the figure (it is closed afterwards, so that it is shown once) or picture.
        alt: what the picture shows, in a sentence.

    Raises:
        ValueError: if `alt` is empty.
    """
    from IPython.display import display

    if not alt.strip():
        raise ValueError("Say in `alt` what the picture shows: not every reader sees it.")
    bundle = {"image/png": _png(picture), "text/plain": alt}
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})


def _png(picture: Figure | Image) -> bytes:
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    buffer = BytesIO()
    if isinstance(picture, Figure):
        picture.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
        plt.close(picture)
    else:
        picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
