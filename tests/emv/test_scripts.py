"""Issuer scripts: told apart, delivered until one fails, reported."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.conversation import Command, Reply
from emv.errors import MalformedData
from emv.scripts import FAILED, SUCCESSFUL, UNREADABLE, Script, deliver, parse_scripts

pytestmark = pytest.mark.spec("Book 3, 10.10", "Book 3, Annex E", "Book 4, Annex A5", source="ours")

UNBLOCK = bytes.fromhex("841800000800000000000000FF")
IDENTIFIER = bytes.fromhex("01020304")


def object_(tag: str, value: bytes) -> bytes:
    return bytes.fromhex(tag) + bytes((len(value),)) + value


def script(template: str, *commands: bytes, identifier: bytes | None = IDENTIFIER) -> bytes:
    head = b"" if identifier is None else object_("9F18", identifier)
    return object_(template, head + b"".join(object_("86", each) for each in commands))


def test_scripts_of_both_kinds_are_read_in_their_order() -> None:
    data = script("72", UNBLOCK) + script("71", UNBLOCK, UNBLOCK, identifier=None)

    assert parse_scripts(data) == (
        Script(0x72, IDENTIFIER, (UNBLOCK,)),
        Script(0x71, bytes(4), (UNBLOCK, UNBLOCK)),
    )
    assert parse_scripts(script("71", UNBLOCK[:4]))[0].commands == (UNBLOCK[:4],)
    assert parse_scripts(b"") == ()


@pytest.mark.parametrize(
    "data",
    [
        object_("73", object_("86", UNBLOCK)),
        script("71"),
        script("71", b"\x84\x18\x00"),
        script("71", UNBLOCK, identifier=b"\x01"),
        script("71", UNBLOCK)[:-1],
        b"\x71",
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedData):
        parse_scripts(data)


@pytest.mark.parametrize(
    ("statuses", "outcome", "failed", "encoded"),
    [
        (["9000"] * 3, SUCCESSFUL, 0, "2001020304"),
        (["9000", "6200", "6300"], SUCCESSFUL, 0, "2001020304"),
        (["6985"], FAILED, 1, "1101020304"),
        (["9000", "6A80"], FAILED, 2, "1201020304"),
        (["9000"] * 14 + ["6700"], FAILED, 15, "1F01020304"),
        (["9000"] * 19 + ["6700"], FAILED, 20, "1F01020304"),
    ],
)
def test_delivery_ends_at_the_first_failure(
    statuses: list[str], outcome: int, failed: int, encoded: str
) -> None:
    kernel = deliver(Script(0x71, IDENTIFIER, (UNBLOCK,) * max(3, len(statuses))))
    sent = 0
    request = next(kernel)
    result = None
    for status in statuses:
        assert request == Command(UNBLOCK)
        sent += 1
        try:
            request = kernel.send(Reply(b"", int(status, 16), 0))
        except StopIteration as finished:
            result = finished.value
            break

    assert result is not None
    assert (sent, result.outcome, result.failed_command) == (len(statuses), outcome, failed)
    assert result.encoded.hex() == encoded.lower()


def test_scripts_that_cannot_be_read_are_reported_as_not_performed() -> None:
    assert UNREADABLE.encoded == bytes(5)


@given(st.binary(max_size=60))
def test_any_bytes_are_scripts_or_malformed(data: bytes) -> None:
    try:
        scripts = parse_scripts(data)
    except MalformedData:
        return
    assert all(each.template in (0x71, 0x72) and each.commands for each in scripts)
