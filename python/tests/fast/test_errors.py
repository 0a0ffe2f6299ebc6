import pytest

import lamina
from lamina import _lamina, errors

BUILT_IN = {
    "kInvalidArgument": ValueError,
    "kNotFound": KeyError,
    "kAlreadyExists": Exception,
    "kConflict": Exception,
    "kCorruption": Exception,
    "kIo": OSError,
    "kResourceExhausted": MemoryError,
    "kUnsupported": NotImplementedError,
    "kCancelled": Exception,
    "kInternal": RuntimeError,
}


@pytest.mark.parametrize("code, name", _lamina.error_table())
def test_each_code_has_its_class(code, name):
    cls = getattr(lamina, name)
    assert errors.class_of(code) is cls and cls.code == code
    assert issubclass(cls, lamina.LaminaError) and issubclass(cls, BUILT_IN[code])
    error = cls("opening x: né \U0001f4c8")
    assert str(error) == "opening x: né \U0001f4c8"


def test_no_code_is_forgotten():
    assert {code for code, _ in _lamina.error_table()} == set(BUILT_IN)
    assert issubclass(lamina.NotFound, LookupError)


def test_engine_errors_arrive_as_their_class(tmp_path):
    with pytest.raises(lamina.NotFound) as caught:
        lamina.open(tmp_path / "né\udcff")
    assert type(caught.value) is lamina.NotFound
    assert "né" in str(caught.value)
