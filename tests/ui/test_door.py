"""The real till and the still one answer everything that the screens ask."""

import inspect

import pytest

from terminal.till import Till
from ui.door import Door
from ui.still import StillTill

WISHES = [
    name for name, member in vars(Door).items() if inspect.isfunction(member) and name[0] != "_"
]


def real_as_door(till: Till) -> Door:
    """Checked by mypy: the real till is a door."""
    return till


def still_as_door(till: StillTill) -> Door:
    """Checked by mypy: so is the still one."""
    return till


def test_the_screens_ask_for_something() -> None:
    assert {"sale", "cancel", "refund", "void", "trace", "receipt"} <= set(WISHES)


@pytest.mark.parametrize("name", WISHES)
@pytest.mark.parametrize("kind", [Till, StillTill])
def test_a_wish_has_the_same_form_everywhere(kind: type, name: str) -> None:
    wanted = inspect.signature(getattr(Door, name)).parameters
    given = inspect.signature(getattr(kind, name)).parameters
    assert list(given) == list(wanted)
    assert [each.default for each in given.values()] == [each.default for each in wanted.values()]
