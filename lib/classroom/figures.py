"""Figures that everybody can read: a picture in the notebook, and its content in words."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

_INVISIBLE = 2.0
"""Mean difference of two pictures, in steps of 255, that goes unnoticed."""


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
    from PIL import Image

    if isinstance(picture, Figure):
        drawn = BytesIO()
        picture.savefig(drawn, format="png", bbox_inches="tight")
        plt.close(picture)
        picture = Image.open(drawn)
    buffer = BytesIO()
    _with_palette(picture.convert("RGB")).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _with_palette(picture: Image) -> Image:
    """Reduce a picture to 256 colours, a third of the bytes, where nobody would see the difference."""
    from PIL import Image, ImageChops, ImageStat

    reduced = picture.quantize(256, dither=Image.Dither.NONE)
    difference = ImageStat.Stat(ImageChops.difference(picture, reduced.convert("RGB"))).mean
    return reduced if max(difference) < _INVISIBLE else picture
