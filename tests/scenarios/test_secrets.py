"""After all that a till may live through, no card number is left anywhere in it."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from simulators import phone as phones
from simulators.card import load_profiles
from terminal.__main__ import main
from terminal.errors import TillError
from terminal.messages import Message
from terminal.states import FINAL, State
from terminal.view import Stage


def card_numbers() -> set[str]:
    """Return every number that any simulated card or phone may show."""
    found = set()
    for profile in [*load_profiles().values(), *phones.load_profiles().values()]:
        found.add(profile.pan)
        found |= {application.pan for application in profile.applications if application.pan}
    return found


def forms_of(number: str) -> list[bytes]:
    """Return how a card number may be written: digits, packed, and both again in hex or base64."""
    # An odd number is padded where it stands alone; in a track its separator follows.
    ends = ("",) if len(number) % 2 == 0 else ("F", "D")
    packed = [bytes.fromhex(number + end) for end in ends]
    text = number.encode()
    forms = [text, *packed, text.hex().encode(), text.hex().upper().encode()]
    grouped = " ".join(number[place : place + 4] for place in range(0, len(number), 4))
    forms += [grouped.encode(), number.encode("utf-16-le")]
    # Base64 of something that contains it looks different at each of three places.
    for lead, skip in ((0, 0), (1, 2), (2, 3)):
        for raw in (text, *packed):
            encoded = base64.b64encode(bytes(lead) + raw)
            forms.append(encoded[skip : (lead + len(raw)) * 8 // 6])
    return forms


def found_in(content: bytes, numbers: Iterable[str]) -> list[str]:
    """Return the masked form of each card number in this content."""
    return [
        f"{number[:6]}…{number[-4:]}"
        for number in numbers
        if any(form in content for form in forms_of(number))
    ]


def files_of(folder: Path) -> Mapping[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def live_through_everything(counter: Any, hold: Any, city: Any) -> list[str]:
    """Use every card, well and badly; return all that was said to anybody."""
    said: list[str] = []

    def note() -> None:
        said.append(repr(counter.till.view()))

    def see_through(attempt: str) -> None:
        counter.until(
            lambda view: (
                counter.till.payment(attempt).state in {*FINAL, State.STORED, State.UNKNOWN}
                or (view.stage is Stage.PRESENT and view.hint is not None)
                or view.stage is Stage.PIN
            )
        )
        note()
        if counter.till.view().stage is Stage.PIN:
            counter.do("pin:1234")
            counter.until(lambda view: view.stage is not Stage.PIN)
            see_through(attempt)
        if counter.till.payment(attempt).state is State.AWAITING_TENDER:
            counter.till.cancel()

    taps = [f"card:{name}" for name in load_profiles()]
    taps += [f"phone:{name}" for name in phones.load_profiles()]
    for amount in (1100, 150_000):
        for tap in taps:
            attempt = counter.begin(amount)
            counter.do(tap)
            see_through(attempt)
    for fault in ("tear-before:3", "tear-after:4", "garbage:3", "garbage:4", "garbage:2"):
        attempt = counter.begin(1200)
        hold(counter, "visa-offline", fault)
        see_through(attempt)
    counter.do("fault:bank-cut")
    for tap in ("card:visa-offline", "card:visa-online", "card:visa-long-key"):
        attempt = counter.begin(1300)
        counter.do(tap)
        see_through(attempt)
    counter.do("fault:bank-cut")
    city.doorman.alter = lambda letter: letter.with_body(b"{}")
    attempt = counter.begin(1400)
    counter.do("card:visa-online")
    counter.until_state(attempt, State.UNKNOWN)
    note()
    city.doorman.alter = None
    counter.until_final(attempt)
    number = "4761739001010119"
    wishes: list[Callable[[], object]] = [
        lambda: counter.till.sale(int(number)),
        lambda: counter.till.payment(number),
        lambda: counter.till.refund(number),
        lambda: counter.till.void(number),
        lambda: counter.till.receipt(number),
    ]
    for wish in wishes:
        with pytest.raises(TillError) as refused:
            wish()
        said.append(str(refused.value))
    sale = counter.pay("card:visa-online", 1500)
    counter.until_state(counter.till.refund(sale.id, 500), *FINAL)
    counter.until(lambda view: view.open_count == 0)
    for payment in counter.till.payments(limit=1000):
        said += counter.till.receipt(payment.id)
        said += counter.till.receipt(payment.id, copy=False)
        said += [line.text for line in counter.till.trace(payment.id)]
        said.append(repr(payment))
    return said


def test_no_card_number_is_left_in_the_till(counter: Any, hold: Any, city: Any) -> None:
    numbers = card_numbers()
    assert len(numbers) >= 24
    said = "\n".join(live_through_everything(counter, hold, city)).encode()
    folder = counter.home / "till"
    files = files_of(folder)

    # The control: all of it is there to be read, masked, and would be found.
    assert b"476173******0119" in said
    journal = b"".join(files[name] for name in files if name.startswith("journal.db"))
    assert b"476173******0119" in journal
    assert "till.log" in files
    assert "journal.db-wal" in files

    assert found_in(said, numbers) == []
    # A simulated reader's traces are whole, as its cards are nobody's; what a real
    # reader leaves is searched in reliability/test_canaries.py.
    whole = {name for name in files if found_in(files[name], numbers)}
    assert whole
    assert {Path(name).parts[0] for name in whole} == {"traces"}


def test_the_search_finds_what_it_looks_for() -> None:
    for number in sorted(card_numbers()):
        for form in forms_of(number):
            assert len(form) >= 8
            assert found_in(b"\x00lead" + form + b"\xff", [number])
        track = bytes.fromhex((number + "D31122010000000000000").ljust(38, "F")[:38])
        for lead in range(3):
            assert found_in(base64.b64encode(bytes(lead) + track), [number])


def test_no_key_is_left_in_journal_or_log(counter: Any, city: Any) -> None:
    counter.pay()
    counter.pay("wallet:alipay-qr")
    folder = counter.home / "till"
    content = b"".join(
        data for name, data in files_of(folder).items() if not name.startswith("keys/")
    )
    secrets = [
        path
        for place in (folder / "keys", counter.home / "cards", city.place.folder)
        for path in place.rglob("*")
        if path.is_file() and "key" in path.name
    ]
    assert secrets
    for path in secrets:
        lines = path.read_bytes().split(b"\n")
        for line in lines:
            if len(line) >= 32 and not line.startswith(b"-----"):
                assert line not in content, path.name


def test_no_payment_code_is_left_in_the_till(counter: Any, city: Any) -> None:
    """A code pays once; until it has, it is as good as money."""
    counter.pay("wallet:alipay-qr")
    counter.pay("wallet:unionpay-cpm")
    attempt = counter.begin()
    counter.do("wallet:two-codes")
    counter.until(lambda view: view.hint is Message.TWO_CODES)
    counter.till.cancel()
    assert counter.till.payment(attempt).state is State.CANCELLED
    with contextlib.closing(sqlite3.connect(city.place.ledger)) as ledger:
        codes = [str(code).encode() for (code,) in ledger.execute("SELECT code FROM codes")]
    assert len(codes) >= 4
    for name, data in files_of(counter.home / "till").items():
        assert not [code for code in codes if code in data], name


def test_nothing_printed_has_a_card_number(city: Any) -> None:
    numbers = card_numbers()
    home = city.new_home()
    arguments = ["--home", str(home), "--bank", city.url]
    printed = ""
    for command in (
        ("sale", "12.00", "--present", "card:visa-online", "--json"),
        ("sale", "12.00", "--present", "card:visa-expired", "--json"),
        ("sale", "12.00", "--present", "card:no-match"),
        ("sale", "4761739001010119"),
        ("payments", "--json"),
        ("show", "1"),
        ("show", "4761739001010119"),
        ("refund", "1", "4761739001010119"),
        ("refund", "1", "5.00", "--json"),
        ("void", "4761739001010119"),
    ):
        done = CliRunner().invoke(main, [*arguments, *command])
        printed += done.output
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                assert re.fullmatch(r"\d{6}\*+\d{4}|", json.loads(line)["masked_pan"])
    assert "476173******0119" in printed
    assert found_in(printed.encode(), numbers) == []


@pytest.mark.parametrize(
    ("name", "mode"), [("", 0o700), ("journal.db", 0o600), ("till.log", 0o600), ("keys", 0o700)]
)
def test_what_a_till_keeps_is_its_owners_alone(counter: Any, name: str, mode: int) -> None:
    counter.pay()
    path = counter.home / "till" / name
    assert path.stat().st_mode & 0o777 == mode
    if path.is_dir() and name:
        assert {file.stat().st_mode & 0o077 for file in path.iterdir()} == {0}
