"""Many scenes on one sheet, with their sentences underneath."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from classroom.toyland.scene import Scene

_PAPER, _INK, _FRAME = "#fffaf0", "#463c44", "#e5d9c4"


def gallery(scenes: Sequence[Scene], columns: int = 4, size: int = 224) -> Image.Image:
    """Draw scenes in a grid, each with its English sentence as a caption.

    Args:
        scenes: at least one.
        columns: pictures in a row.
        size: edge of one picture in pixels.

    Returns:
        One RGB picture; a notebook shows it when it is the last value of a cell.
    """
    if not scenes or columns < 1:
        raise ValueError("A gallery needs at least one scene and one column.")
    columns = min(columns, len(scenes))
    font = ImageFont.load_default(max(11, size // 17))
    margin, line_height = size // 14, max(14, size // 13)
    captions = [_wrapped(scene.sentence(), font, size) for scene in scenes]
    rows = -(-len(scenes) // columns)
    cell_width = size + margin
    cell_height = size + margin + line_height * max(map(len, captions)) + margin // 2
    sheet = Image.new("RGB", (columns * cell_width + margin, rows * cell_height + margin), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for number, (scene, lines) in enumerate(zip(scenes, captions, strict=True)):
        x = margin + number % columns * cell_width
        y = margin + number // columns * cell_height
        pen.rectangle((x - 2, y - 2, x + size + 1, y + size + 1), fill=_FRAME)
        sheet.paste(scene.draw(size), (x, y))
        for row, line in enumerate(lines):
            pen.text((x, y + size + margin // 3 + row * line_height), line, fill=_INK, font=font)
    return sheet


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    """Break a text into lines that are no wider than `width` pixels."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
