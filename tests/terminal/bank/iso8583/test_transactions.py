"""What each request says, field by field."""

import pytest

from emv import tlv
from terminal.bank.iso8583 import chip, transactions
from terminal.bank.iso8583 import fields as f
from terminal.bank.iso8583.chip import read_card
from terminal.bank.iso8583.codec import Codec, Message, MessageCode
from terminal.bank.iso8583.fields import Encoding
from terminal.bank.iso8583.transactions import Entry, Kind, Original, Reason, Till
from terminal.errors import MalformedMessage

TILL = Till("till-1", "corner-shop")
PAN = "4761739001010119"
OBJECTS = {
    0x57: "4761739001010119D30122010123456789",
    0x5F24: "301231",
    0x5F34: "01",
    0x9F26: "1122334455667788",
    0x9F10: "06010A03A00000",
    0x9F36: "0001",
    0x95: "0000000000",
    0x50: "56495341",
}
EMV = b"".join(tlv.encode(tag, bytes.fromhex(value)) for tag, value in OBJECTS.items())


def sale(kind: Kind = transactions.SALE, till: Till = TILL) -> Message:
    return transactions.card_payment(till, kind, "000042", 1250, read_card(EMV), Entry.CONTACTLESS)


def test_a_sale_has_what_the_issuer_needs() -> None:
    message = sale()
    assert message.type == "0200"
    assert dict(message.fields) == {
        f.PAN: PAN,
        f.PROCESSING_CODE: "000000",
        f.AMOUNT: "000000001250",
        f.STAN: "000042",
        f.EXPIRY: "3012",
        f.ENTRY_MODE: "072",
        f.PAN_SEQUENCE: "001",
        f.CONDITION: "00",
        f.TRACK_2: "4761739001010119D30122010123456789",
        f.TERMINAL: "till-1  ",
        f.MERCHANT: "corner-shop    ",
        f.CURRENCY: "156",
        f.CHIP: "9F260811223344556677889F100706010A03A000009F3602000195050000000000",
        f.BATCH: "22000001000",
    }


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        (transactions.BALANCE, ("0200", "310000", "00", "01", False)),
        (transactions.PRE_AUTHORISATION, ("0100", "030000", "06", "10", True)),
        (transactions.PRE_AUTHORISATION_CANCEL, ("0100", "200000", "06", "11", True)),
        (transactions.COMPLETION, ("0200", "000000", "06", "20", True)),
        (transactions.COMPLETION_CANCEL, ("0200", "200000", "06", "21", True)),
        (transactions.SALE, ("0200", "000000", "00", "22", True)),
        (transactions.VOID, ("0200", "200000", "00", "23", True)),
        (transactions.REFUND, ("0220", "200000", "00", "25", False)),
        (transactions.OFFLINE_SALE, ("0220", "000000", "00", "30", False)),
    ],
)
def test_each_kind_is_written_as_the_rules_say(
    kind: Kind, row: tuple[str, str, str, str, bool]
) -> None:
    """Source: UnionPay POS terminal rules, the table of keys."""
    message = sale(kind)
    written = (
        message.type,
        message.get(f.PROCESSING_CODE),
        message.get(f.CONDITION),
        message.get(f.BATCH)[:2],
        kind.is_reversible,
    )
    assert written == row


def test_a_reversal_repeats_its_original_and_neither_track_nor_chip() -> None:
    original = sale()
    kept = transactions.repeated_in_reversal(original)
    message = transactions.reversal(TILL, kept, original.type, Reason.NO_ANSWER)
    assert message.type == "0400"
    assert message.get(f.RESPONSE) == "98"
    assert message.get(f.PAN) == PAN
    assert message.get(f.STAN) == "000042"
    assert not {f.TRACK_2, f.PIN_BLOCK, f.CHIP} & set(kept)
    assert OBJECTS[0x57][17:] not in str(kept)


def test_a_reversal_names_the_original_in_field_90_where_the_host_wants_it() -> None:
    till = Till("till-1", "corner-shop", has_original_elements=True)
    kept = transactions.repeated_in_reversal(sale(till=till))
    message = transactions.reversal(till, kept, "0200", Reason.NO_ANSWER)
    assert message.get(f.ORIGINAL_ELEMENTS) == "0200000042" + "0" * 32
    codec = Codec(Encoding.ASCII, MessageCode.RETAIL)
    read = codec.decode(codec.encode(message, bytes(range(16))), bytes(range(16)))
    assert f.MAC_2 in read.fields


def test_a_void_names_what_it_undoes() -> None:
    original = Original("000001", "000042", "1124", "123456789012", "654321")
    message = transactions.follow_up(TILL, transactions.VOID, "000043", 1250, PAN, original)
    assert message.get(f.REFERENCE) == "123456789012"
    assert message.get(f.AUTHORISATION) == "654321"
    assert message.get(f.ORIGINAL) == "0000010000421124"


def test_the_day_is_closed_with_totals_and_uploaded_line_by_line() -> None:
    totals = transactions.totals_field((123456, 12), (1000, 1))
    assert (
        transactions.settlement(TILL, "1", totals).get(f.TOTALS) == "000000123456012000000001000001"
    )
    line = transactions.upload(TILL, "000044", transactions.repeated_in_reversal(sale()))
    assert (line.type, line.get(f.BATCH)) == ("0320", "00000001201")
    assert (line.get(f.PAN), line.get(f.ORIGINAL)) == (PAN, "000001000042")
    assert transactions.upload_end(TILL, "000045", 12).get(f.TOTALS) == "0012"


@pytest.mark.parametrize(
    ("message", "type_", "function"),
    [
        (transactions.sign_on(TILL, "000001"), "0800", "00000001003"),
        (transactions.sign_off(TILL, "000001"), "0820", "00000001002"),
        (transactions.echo(TILL, "000001"), "0820", "00000001301"),
    ],
)
def test_the_network_messages_say_what_they_are(
    message: Message, type_: str, function: str
) -> None:
    assert (message.type, message.get(f.BATCH)) == (type_, function)


@pytest.mark.parametrize("encoding", Encoding)
def test_every_request_can_be_written(encoding: Encoding) -> None:
    codec = Codec(encoding, MessageCode.RETAIL)
    kept = transactions.repeated_in_reversal(sale())
    for message in (
        sale(),
        transactions.reversal(TILL, kept, "0200", Reason.OTHER),
        transactions.sign_on(TILL, "000001"),
        transactions.upload(TILL, "000002", kept),
        transactions.upload_end(TILL, "000003", 1),
        transactions.settlement(TILL, "000004", transactions.totals_field((1, 1), (0, 0))),
    ):
        assert codec.decode(codec.encode(message)) == message


@pytest.mark.parametrize("emv", ["9F36", "9F36020001"])
def test_a_card_without_a_number_is_refused(emv: str) -> None:
    with pytest.raises(MalformedMessage):
        read_card(bytes.fromhex(emv))


def test_the_number_may_stand_alone() -> None:
    card = read_card(tlv.encode(0x5A, bytes.fromhex("5413330089604111FF"[:16])))
    assert (card.pan, card.track_2, card.sequence) == ("5413330089604111", "", "")


def test_only_what_is_for_the_card_is_taken_from_the_issuer() -> None:
    objects = bytes.fromhex("910A11223344556677880000 8A023030 72058603841E00")
    assert chip.read_issuer(objects.hex()) == bytes.fromhex(
        "910A11223344556677880000 72058603841E00"
    )
    with pytest.raises(MalformedMessage, match="55"):
        chip.read_issuer("91")


def test_no_card_number_is_in_a_repr() -> None:
    assert PAN not in repr(read_card(EMV)) + repr(sale())
