import pytest

import lamina
from lamina import _lamina

BUILT_IN = {
    1: (lamina.InvalidArgument, ValueError),
    2: (lamina.NotFound, KeyError),
    3: (lamina.AlreadyExists, lamina.LaminaError),
    4: (lamina.Conflict, lamina.LaminaError),
    5: (lamina.Corruption, lamina.LaminaError),
    6: (lamina.IoError, OSError),
    7: (lamina.ResourceExhausted, MemoryError),
    8: (lamina.Unsupported, NotImplementedError),
    9: (lamina.Cancelled, lamina.LaminaError),
    10: (lamina.InternalError, RuntimeError),
}


@pytest.mark.parametrize("code", BUILT_IN)
def test_each_code_raises_its_class(code):
    expected, built_in = BUILT_IN[code]
    with pytest.raises(expected) as caught:
        _lamina._raise_error(code, "opening x: né \U0001f4c8")
    assert type(caught.value) is expected
    assert isinstance(caught.value, lamina.LaminaError)
    assert isinstance(caught.value, built_in)
    assert str(caught.value) == "opening x: né \U0001f4c8"
    assert caught.value.code


def test_not_found_is_a_lookup_error_too():
    assert issubclass(lamina.NotFound, LookupError)
    assert len({cls.code for cls, _ in BUILT_IN.values()}) == len(BUILT_IN)
