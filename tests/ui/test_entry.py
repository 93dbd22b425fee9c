"""The sale being typed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ui.entry import DIGITS_MAX, Entry


def typed(keys: str, gap_s: float = 0.2) -> Entry:
    """An entry after a cashier's fingers."""
    entry = Entry()
    for number, key in enumerate(keys):
        entry.type_digit(key, number * gap_s)
    return entry


def test_digits_are_minor_units() -> None:
    assert typed("34560").total_minor == 34560


def test_a_leading_zero_is_nothing() -> None:
    assert typed("0010").digits == "10"


@given(st.text(alphabet="0123456789", max_size=20))
@settings(max_examples=100)
def test_an_amount_never_has_more_digits_than_the_till_takes(keys: str) -> None:
    entry = typed(keys)
    assert len(entry.digits) <= DIGITS_MAX
    assert entry.digits == keys.lstrip("0")[:DIGITS_MAX]


def test_items_and_digits_are_one_total() -> None:
    entry = typed("28800")
    assert entry.add_item()
    entry.type_digit("5", 9.0)
    assert (entry.items, entry.total_minor) == ([28800], 28805)
    assert entry.drop_item()
    assert entry.total_minor == 5


def test_there_is_no_empty_item() -> None:
    entry = Entry()
    assert not entry.add_item()
    assert not entry.drop_item()
    assert entry.items == []


def test_a_scanner_that_types_leaves_the_amount_as_it_was() -> None:
    """Twelve digits closer together than fingers can type."""
    entry = typed("500")
    answers = [
        entry.type_digit(key, 5.0 + number * 0.005)
        for number, key in enumerate("281234567890123456")
    ]
    assert entry.digits == "500"
    assert not all(answers)


def test_fast_fingers_are_no_scanner() -> None:
    entry = typed("123456789012", gap_s=0.05)
    assert entry.digits == "123456789"


def test_clear_begins_again() -> None:
    entry = typed("500")
    entry.add_item()
    entry.clear()
    assert entry.total_minor == 0
