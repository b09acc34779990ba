"""Figures: a picture and its content in words."""

from io import BytesIO

import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")

from classroom.figures import show
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib import pyplot as plt
from PIL import Image


@pytest.fixture(autouse=True)
def shell():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def shown(picture, alt):
    with capture_output() as captured:
        show(picture, alt)
    (output,) = captured.outputs
    return output


class TestShow:
    def test_a_figure_becomes_a_png_with_its_words(self):
        figure, axes = plt.subplots()
        axes.plot([0, 1])
        output = shown(figure, "a rising line")
        assert output.data["image/png"].startswith(b"\x89PNG")
        assert output.data["text/plain"] == "a rising line"
        assert output.metadata == {"image/png": {"alt": "a rising line"}}

    def test_a_shown_figure_is_closed(self):
        figure, _ = plt.subplots()
        shown(figure, "nothing")
        assert not plt.fignum_exists(figure.number)

    def test_a_drawn_picture_is_shown_too(self):
        assert shown(Image.new("RGB", (4, 4)), "black").data["image/png"].startswith(b"\x89PNG")

    def test_a_drawing_is_reduced_to_a_palette_and_a_photograph_is_not(self):
        flat = Image.new("RGB", (64, 64), "orange")
        noise = Image.effect_noise((64, 64), 90).convert("RGB")
        colourful = Image.merge("RGB", [Image.effect_noise((256, 256), 90) for _ in range(3)])
        modes = [
            Image.open(BytesIO(shown(picture, "a test").data["image/png"])).mode
            for picture in (flat, noise, colourful)
        ]
        assert modes == ["P", "P", "RGB"]

    def test_a_picture_without_words_is_refused(self):
        with pytest.raises(ValueError, match="alt"):
            show(Image.new("RGB", (4, 4)), " ")

    def test_the_style_of_the_course_is_installed(self):
        with plt.style.context("classroom.course"):
            assert plt.rcParams["axes.titleweight"] == "bold"
