"""Nothing that people see holds a whole card number."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emv import describe, masking, tlv
from emv.masking import mask_pan, masked_hex, passes_luhn

VISA = "4111111111111111"
AMEX = "378282246310005"


def with_check_digit(digits: str) -> str:
    return next(digits + check for check in "0123456789" if passes_luhn(digits + check))


pans = st.builds(
    lambda first, rest: with_check_digit(first + rest),
    st.sampled_from("2345689"),
    st.text("0123456789", min_size=11, max_size=17),
)


def packed(digits: str) -> bytes:
    return bytes.fromhex(digits + "F" * (len(digits) % 2))


def track_2(pan: str) -> bytes:
    return packed(f"{pan}D25122010000000000"[:38])


def in_objects(pan: str) -> dict[str, bytes]:
    """A card number wherever cards and terminals put one."""
    number, text = packed(pan), pan.encode()
    spaced = " ".join(pan[at : at + 4] for at in range(0, len(pan), 4)).encode()
    return {
        "PAN": tlv.encode(0x5A, number),
        "PAN in a record": tlv.encode(0x70, tlv.encode(0x5A, number)),
        "track 2": tlv.encode(0x57, track_2(pan)),
        "track 2 of a magnetic stripe": tlv.encode(0x9F6B, track_2(pan)),
        "track 1": tlv.encode(0x56, b"B" + text + b"^VISA/CARD^2512201"),
        "data storage identifier": tlv.encode(0x9F5E, packed(pan + "01")),
        "a known place and an unknown": tlv.encode(0x5A, number) + tlv.encode(0xDF01, number),
        "packed in an unknown object": tlv.encode(0xDF01, number),
        "packed among other bytes": tlv.encode(0xDF01, b"\x12\x34" + number + b"\xf9\x99"),
        "packed after half a byte of digits": tlv.encode(0xDF01, b"\xf1" + number),
        "an object inside a script command": tlv.encode(
            0x86, b"\x04\xda" + tlv.encode(0x5A, number)
        ),
        "text in an unknown object": tlv.encode(0xDF01, text),
        "text among digits": tlv.encode(0xDF01, b"001" + text + b"9"),
        "text in groups of four": tlv.encode(0x50, spaced),
        "a URL": tlv.encode(0x5F50, b"https://a.example/?pan=" + text),
        "the PIN data": tlv.encode(0x99, packed(pan)),
        "a cardholder name": tlv.encode(0x5F20, text),
        "an IBAN": tlv.encode(0x5F53, b"NL91" + text),
    }


def shown(data: bytes) -> str:
    """Everything `till decode` could print of these objects, white space out."""
    described = describe.describe(tlv.decode(data))
    text = describe.as_text(described) + json.dumps(describe.as_plain(described))
    return "".join(text.split())


@given(pans)
@example(VISA)
@example(AMEX)
@example("5555555555554444")
@example("6212345678901265")
@example("30569309025904")
def test_a_whole_card_number_is_never_shown(pan: str) -> None:
    """Neither its digits, nor its characters in hex."""
    for place, data in in_objects(pan).items():
        output = shown(data)
        assert pan not in output, place
        assert pan.encode().hex() not in output.lower(), place
        assert "*" in output, place


@given(st.text("0123456789", min_size=13, max_size=19), st.binary(max_size=4), st.booleans())
def test_a_number_the_card_names_is_hidden_everywhere(pan: str, around: bytes, half: bool) -> None:
    """Even one without a valid check digit, and where it does not fill bytes."""
    nibble = "A" if half else ""
    copy = f"{around.hex()}{nibble}{pan}"
    copies = tlv.encode(0xDF01, packed(copy)) + tlv.encode(0xDF02, around + pan.encode())

    for source in (tlv.encode(0x5A, packed(pan)), tlv.encode(0x57, track_2(pan))):
        output = shown(source + copies).lower()
        assert pan not in output
        assert pan.encode().hex() not in output


@given(st.text("0123456789ABCDEF", max_size=24))
def test_a_masked_number_shows_ten_digits_at_most(digits: str) -> None:
    masked = mask_pan(digits)

    assert len(masked) == len(digits)
    assert sum(digit != "*" for digit in masked) in (0, 10)


@given(st.sampled_from(sorted(masking.CARD_DATA_TAGS)), st.binary(min_size=8, max_size=30))
def test_card_data_shows_ten_digits_at_most(tag: int, value: bytes) -> None:
    masked = masked_hex(tag, value)

    assert len(masked) == 2 * len(value)
    assert sum(digit.isdigit() for digit in masked) <= 10


@pytest.mark.parametrize(
    ("tag", "value", "masked"),
    [
        (0x5A, "4111111111111111", "411111******1111"),
        (0x5A, "378282246310005F", "378282*****0005F"),
        (0x5A, "411111111111", "************"),
        (0x5A, "4111111111111F", "411111***1111F"),
        (0x5A, "41111111A1111111", "****************"),
        (0x57, "4111111111111111D25122010000000F", "411111******1111D***************"),
        (0x57, "4111111111111111", "411111******1111"),
        (0x57, "4111111111", "**********"),
        (0x5F20, "564953412F43415244", "******************"),
        (0x99, "1234", "****"),
    ],
)
def test_each_kind_of_card_data_has_its_mask(tag: int, value: str, masked: str) -> None:
    assert masked_hex(tag, bytes.fromhex(value)) == masked


# Numbers of 13, 16 and 19 digits with a check digit, no shorter one inside them.
THIRTEEN, SIXTEEN, NINETEEN = "4222222222222", "4377746162098623", "4977993881989077174"


@pytest.mark.parametrize(
    ("before", "pan", "after"),
    [
        ("", SIXTEEN, ""),
        ("0000", SIXTEEN, "AB"),
        ("F", SIXTEEN, "F"),
        ("ABF", SIXTEEN, "F"),
        ("", THIRTEEN, "F"),
        ("F", THIRTEEN, ""),
        ("ABC9", SIXTEEN, "99"),
        ("F", NINETEEN, ""),
        ("ABC9", NINETEEN, "FAB"),
    ],
)
def test_a_number_in_digits_shows_its_ends_and_nothing_else_is_hidden(
    before: str, pan: str, after: str
) -> None:
    value = bytes.fromhex(before + pan + after)

    assert masked_hex(0xDF01, value) == before + mask_pan(pan) + after


@pytest.mark.parametrize(
    ("before", "pan", "after"),
    [
        ("", SIXTEEN, ""),
        ("no. ", f"{SIXTEEN[:4]}-{SIXTEEN[4:8]} {SIXTEEN[8:]}", "."),
        ("00", NINETEEN, "x"),
        ("(", THIRTEEN, ")"),
    ],
)
def test_a_number_in_characters_shows_its_ends_and_nothing_else_is_hidden(
    before: str, pan: str, after: str
) -> None:
    places = [at for at, character in enumerate(pan) if character.isdigit()]
    starred = "".join("*" if at in places[6:-4] else each for at, each in enumerate(pan))
    shown = masked_hex(0x50, (before + pan + after).encode())

    assert masking.masked_text(shown) == before + starred + after
    assert shown.count("*") == 2 * starred.count("*")


@pytest.mark.parametrize(
    "digits",
    [
        SIXTEEN[:-1] + "4",  # No check digit.
        "47457567175262",  # Numbers of 12 digits with a check digit.
        "47287402303015219009",  # One of 20.
        "1" + SIXTEEN[1:-1] + "9",  # No scheme's first digit.
    ],
)
def test_text_that_is_no_card_number_is_shown(digits: str) -> None:
    assert masked_hex(0x50, digits.encode()) == digits.encode().hex().upper()


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (tlv.encode(0x5A, packed("4111111111119")), {"4111111111119"}),
        (tlv.encode(0x5A, packed("41111111")), {"41111111"}),
        (tlv.encode(0x5A, packed("4111111")), set()),
        (tlv.encode(0x56, b"B4111111111119^VISA/CARD^2512201"), {"4111111111119"}),
        (tlv.encode(0x56, b"B^VISA/CARD^"), set()),
        (tlv.encode(0x5F50, b"4111111111119"), set()),
    ],
)
def test_a_card_names_its_number_in_few_places(data: bytes, named: set[str]) -> None:
    assert masking.pans_in(tlv.decode(data)) == named


def test_text_has_a_star_for_each_hidden_byte() -> None:
    assert masking.masked_text("41**4*5F") == "A**_"
    assert masking.masked_text("") == ""


@pytest.mark.parametrize(
    "value",
    [
        "000000012345",
        "00000000000000000000000000000000",
        "4111111111111112",  # No check digit of a card number.
        "0106A9030000000000000000",
        "315041592E5359532E4444463031",
    ],
)
def test_what_is_no_card_number_is_shown(value: str) -> None:
    assert masked_hex(0x9F10, bytes.fromhex(value)) == value


@pytest.mark.parametrize("pan", [VISA, AMEX, "5555555555554444", "30569309025904"])
def test_published_card_numbers_pass_the_check(pan: str) -> None:
    assert passes_luhn(pan)
    assert not passes_luhn(pan[:-1] + str((int(pan[-1]) + 1) % 10))
