"""Enumerations that explain themselves, cached properties, versions."""

from __future__ import annotations

import pytest
from nanoformers.utils import ExplicitEnum, PaddingStrategy, TensorType, cached_property, check_min_version


class Colour(ExplicitEnum):
    RED = "red"
    BLUE = "blue"


class TestExplicitEnum:
    def test_by_value(self):
        assert Colour("red") is Colour.RED
        assert Colour.RED == "red"
        assert f"{Colour.BLUE} {Colour.BLUE!s}" == "blue blue"

    def test_what_is_not_there(self):
        with pytest.raises(
            ValueError, match=r"green is not a valid Colour, please select one of \['red', 'blue'\]"
        ):
            Colour("green")

    def test_the_library_s_own(self):
        assert [strategy.value for strategy in PaddingStrategy] == ["longest", "max_length", "do_not_pad"]
        assert TensorType("pt") is TensorType.PYTORCH
        assert issubclass(TensorType, ExplicitEnum)


class Counting:
    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)

    @cached_property
    def answer(self) -> object:
        """What comes next."""
        return self.answers.pop(0)


class TestCachedProperty:
    def test_it_is_computed_once(self):
        one, other = Counting(1, 2), Counting(3)
        assert (one.answer, one.answer, other.answer) == (1, 1, 3)

    def test_none_is_asked_again(self):
        one = Counting(None, 5, 6)
        assert (one.answer, one.answer, one.answer) == (None, 5, 5)

    def test_it_is_read_only(self):
        with pytest.raises(AttributeError):
            Counting(1).answer = 2  # type: ignore[misc]

    def test_of_the_class(self):
        assert isinstance(Counting.answer, cached_property)
        assert Counting.answer.__doc__ == "What comes next."

    def test_without_a_function(self):
        class Empty:
            nothing = cached_property()

        with pytest.raises(AttributeError, match="unreadable attribute"):
            _ = Empty().nothing


class TestCheckMinVersion:
    @pytest.mark.parametrize("version", ["4.21.0.dev0", "4.35.2", "4.37.2"])
    def test_scripts_of_the_documentation_run(self, version):
        check_min_version(version)

    @pytest.mark.parametrize("version", ["4.38.0.dev0", "4.100", "5.0.0"])
    def test_later_ones_do_not(self, version):
        with pytest.raises(ImportError, match=rf"minimum version of {version}, but .* is 4\.37\.2"):
            check_min_version(version)

    def test_no_version(self):
        with pytest.raises(ValueError, match="newest"):
            check_min_version("newest")

    def test_it_is_the_release_of_our_file_formats(self):
        from nanoformers.configuration import FORMAT_VERSION

        check_min_version(FORMAT_VERSION)
