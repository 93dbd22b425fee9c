"""Online PINs from the card to the ledger: a pad on a pty, the real link, the real bank."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import config
from simulators.pinpad import PinPadKeys, PinPadSimulator
from simulators.pinpad.entry import State as PadState
from simulators.serial_line import SerialLine
from terminal.__main__ import main
from terminal.commands.watch import watching
from terminal.messages import Message
from terminal.states import State
from terminal.view import PaymentView, Stage, View
from ui.app import TillApp

LONG_S = 45.0
CARD = "card:visa-online-pin"
PIN = "1234"
WRONG = "90817263"
PAD_ON_SCREEN = 'driver = "pinpad-screen"'


class RecordingPad(PinPadSimulator):
    """A pad whose blocks somebody writes down, to look for them afterwards."""

    def __init__(self, keys: PinPadKeys | None) -> None:
        super().__init__(keys, os.urandom, time.monotonic)
        self.blocks: list[bytes] = []

    def press(self, key: str) -> None:
        super().press(key)
        if self.result:
            self.blocks.append(bytes(self.result[-1]))


class Shop:
    """A counter with a PIN pad on a serial line, and a customer who types."""

    def __init__(self, home: Path, open_counter: Any, *, has_keys: bool, more: str) -> None:
        self.pad = RecordingPad(PinPadKeys(home) if has_keys else None)
        self.line = SerialLine(self.pad, home / "pad")
        file = home / "shop.toml"
        lines = config.BENCH.read_text("utf-8").replace(
            PAD_ON_SCREEN, f'driver = "pinpad-serial"\noptions = {{ path = "{home / "pad"}" }}'
        )
        file.write_text(lines.replace("pin_timeout_s = 60", more), "utf-8")
        self.counter = open_counter(home=home, file=file).until_ready()

    def tap(self, amount_minor: int = 6000, card: str = CARD) -> str:
        """Open a sale and hold a card to the reader; return once the pad asks."""
        attempt: str = self.counter.begin(amount_minor)
        self.counter.do(card)
        self.until_asked()
        return attempt

    def until_asked(self) -> None:
        assert self.line.wait_for(lambda: self.pad.screen.endswith("PIN"), LONG_S)

    def type(self, digits: str, last: str = "enter") -> None:
        for key in (*digits, last):
            with self.line.changed:
                self.pad.press(key)

    def pay(self, pin: str, amount_minor: int = 6000, card: str = CARD) -> PaymentView:
        attempt = self.tap(amount_minor, card)
        self.type(pin)
        sale: PaymentView = self.counter.until_state(attempt, State.APPROVED, State.DECLINED)
        return sale

    def until_hint(self, hint: Message) -> None:
        self.counter.until(lambda view: view.stage is Stage.PRESENT and view.hint is hint)

    def is_unheard(self, attempt: str) -> bool:
        """True if the bank has never heard of it."""
        return not self.counter.booked.state(attempt)


@pytest.fixture(autouse=True)
def forgive_pins(city: Any) -> Iterator[None]:
    """Every test begins with all tries, and leaves none used up to the others."""
    city.forgive_pins()
    yield
    city.forgive_pins()


@pytest.fixture
def open_shop(city: Any, open_counter: Any) -> Iterator[Callable[..., Shop]]:
    """Open shops with a PIN pad: open_shop(has_keys=True, more='pin_timeout_s = 60')."""
    shops: list[Shop] = []

    def open_one(*, has_keys: bool = True, more: str = "pin_timeout_s = 60") -> Shop:
        shops.append(Shop(city.new_home(), open_counter, has_keys=has_keys, more=more))
        return shops[-1]

    yield open_one
    for shop in shops:
        shop.line.close()


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    return open_shop()


def test_the_right_pin_pays(shop: Shop) -> None:
    attempt = shop.tap()
    assert shop.pad.screen == "CNY 60.00\nPIN"
    shop.type("12", "3")
    shop.counter.until(lambda view: view.pin_digits == 3)
    shop.type("4")
    sale = shop.counter.until_state(attempt, State.APPROVED)

    assert (sale.pin, sale.signature) == (True, False)
    assert shop.counter.booked.transfers_of(attempt) == ["sale"]
    assert any("VERIFIED BY PIN" in line for line in shop.counter.till.receipt(attempt))


def test_a_wrong_pin_can_be_tried_once_more(shop: Shop) -> None:
    first = shop.pay("0000")
    assert (first.state, first.response_code) == (State.DECLINED, "55")
    assert (first.reason, first.next_step) == (Message.WRONG_PIN, Message.TRY_ONCE_MORE)

    second = shop.pay(PIN)
    assert second.state is State.APPROVED
    assert second.id != first.id
    assert shop.counter.booked.transfers_of(first.id) == []


def test_the_third_wrong_pin_blocks_it(shop: Shop) -> None:
    tried = [shop.pay(pin) for pin in ("0000", "0000", "0000", PIN)]
    assert [sale.response_code for sale in tried] == ["55", "55", "75", "75"]
    assert (tried[-1].reason, tried[-1].next_step) == (Message.PIN_BLOCKED, Message.ANOTHER_CARD)


def test_a_pin_above_the_limit_and_none_below(shop: Shop) -> None:
    card = "card:visa-pin-required"
    assert not shop.counter.pay(card, 99_999).pin
    assert shop.pay(PIN, 100_000, card).pin


def test_a_chip_checks_what_its_own_key_opens_and_gets_nothing_in_clear(shop: Shop) -> None:
    """Pad and slot are two devices: a card that wants its PIN in clear goes on without."""
    attempt = shop.counter.begin(6000)
    shop.counter.do("chip:contact-pin-enciphered")
    shop.until_asked()
    shop.type("0000")
    assert shop.line.wait_for(lambda: shop.pad.screen.endswith("WRONG. PIN"), LONG_S)
    shop.type(PIN)
    sale = shop.counter.until_state(attempt, State.APPROVED, State.DECLINED)
    assert (sale.state, sale.pin) == (State.APPROVED, True)

    signed = shop.counter.pay("chip:contact-pin")
    assert (signed.state, signed.pin, signed.signature) == (State.APPROVED, False, True)


def test_a_shop_without_a_pad_takes_no_pin(city: Any, open_counter: Any) -> None:
    home = city.new_home()
    whole, _, rest = config.BENCH.read_text("utf-8").partition("[[devices.pin_pads]]")
    (home / "shop.toml").write_text(whole + "[" + rest.partition("\n[")[2], "utf-8")
    counter = open_counter(home=home, file=home / "shop.toml").until_ready()

    assert counter.pay("card:visa-pin-required", 150_000).reason is Message.PIN_PAD_MISSING
    signed = counter.pay(CARD, 150_000)
    assert (signed.state, signed.pin, signed.signature) == (State.APPROVED, False, True)


# --- no PIN ----------------------------------------------------------------------


def test_a_customer_who_cancels_may_pay_otherwise(shop: Shop) -> None:
    attempt = shop.tap()
    shop.type("12", "cancel")
    shop.until_hint(Message.PIN_CANCELLED)
    shop.counter.do("card:visa-online")
    sale = shop.counter.until_state(attempt, State.APPROVED)
    assert (sale.masked_pan[-4:], sale.pin) == ("0119", False)


def test_a_customer_who_is_late_is_asked_again_by_a_tap(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(more="pin_timeout_s = 1")
    attempt = shop.tap()
    shop.until_hint(Message.PIN_LATE)
    assert shop.is_unheard(attempt)
    shop.counter.do("card:visa-online")
    shop.counter.until_state(attempt, State.APPROVED)


def test_a_pad_unplugged_in_mid_entry_is_named_and_asked_again(shop: Shop) -> None:
    attempt = shop.tap()
    shop.type("1", "2")
    shop.line.unplug()
    shop.until_hint(Message.PIN_PAD_LOST)
    assert shop.is_unheard(attempt)

    shop.line.plug()
    shop.counter.do(CARD)
    shop.until_asked()
    shop.type(PIN)
    assert shop.counter.until_state(attempt, State.APPROVED).pin


def test_a_pad_without_keys_is_named(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(has_keys=False)
    attempt = shop.counter.begin()
    shop.counter.do(CARD)
    shop.until_hint(Message.PIN_PAD_NOT_READY)
    assert shop.is_unheard(attempt)
    shop.counter.till.cancel()


def test_esc_ends_the_question_and_the_sale(shop: Shop) -> None:
    attempt = shop.tap()
    shop.type("1", "2")
    shop.counter.till.cancel()
    assert shop.line.wait_for(lambda: shop.pad.state is PadState.IDLE, LONG_S)
    assert shop.counter.till.payment(attempt).state is State.CANCELLED
    assert shop.is_unheard(attempt)
    assert shop.pay(PIN).state is State.APPROVED


def test_a_pin_that_cannot_be_sent_is_not_kept_for_later(shop: Shop) -> None:
    shop.counter.do("fault:bank-cut")
    attempt = shop.tap()
    shop.type(PIN)
    sale = shop.counter.until_state(attempt, State.NOT_SENT)
    shop.counter.do("fault:bank-cut")
    assert sale.reason is Message.NOT_SENT
    # The same tap never goes out later: the bank hears of the next sale only.
    assert shop.pay(PIN).state is State.APPROVED
    assert shop.is_unheard(attempt)


# --- the command line ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (("--pin", PIN), 0, "approved"),
        (("--pin", WRONG), 10, "wrong_pin"),
        ((), 30, "pin_cancelled"),
    ],
)
def test_a_script_types_the_pin(
    city: Any, words: tuple[str, ...], status: int, reason: str
) -> None:
    arguments = ["--home", str(city.new_home()), "--bank", city.url]
    sale = ("sale", "60.00", "--present", CARD, "--json", *words)
    done = CliRunner().invoke(main, [*arguments, *sale])
    assert (done.exit_code, json.loads(done.stdout)["reason"]) == (status, reason)
    assert "Customer enters PIN" in done.stderr
    assert WRONG not in done.output


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("sale", "60.00", "--pin", "123"), 2, "a PIN has 4 to 12 digits"),
        (("sale", "60.00", "--pin", "12a4"), 2, "a PIN has 4 to 12 digits"),
        (("--pin-pad", "/nowhere", "sale", "60.00", "--pin", PIN), 30, "PIN pad is another"),
    ],
)
def test_a_pin_that_cannot_be_typed_is_refused(
    city: Any, words: tuple[str, ...], status: int, says: str
) -> None:
    arguments = ["--home", str(city.new_home()), "--bank", city.url]
    done = CliRunner().invoke(main, [*arguments, *words])
    assert done.exit_code == status
    assert says in " ".join(done.stderr.split())


# --- secrets ----------------------------------------------------------------------


def forms_of(secret: bytes) -> list[bytes]:
    """Return how a secret may be written: raw, in hex of either case, in base64 at any place."""
    forms = [secret, secret.hex().encode(), secret.hex().upper().encode()]
    for lead, skip in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(bytes(lead) + secret)
        forms.append(encoded[skip : (lead + len(secret)) * 8 // 6])
    return forms


def files_of(folder: Path, copy: Path) -> Mapping[str, bytes]:
    """Return what is in a folder, read by another process.

    Whoever closes a file gives up its process's locks on it, SQLite's too.
    """
    subprocess.run(["cp", "-rL", str(folder), str(copy)], check=True)
    return {
        str(path.relative_to(copy)): path.read_bytes()
        for path in sorted(copy.rglob("*"))
        if path.is_file()
    }


def test_neither_pin_nor_block_is_left_anywhere(shop: Shop, city: Any, tmp_path: Path) -> None:
    """Typed at every stage, sent, refused, and cut off on the wire."""
    said: list[str] = []
    shop.counter.till.subscribe(lambda view: said.append(repr(view)))
    sales = [shop.pay(WRONG), shop.pay(PIN)]
    shop.counter.do("fault:bank-cut")
    sales.append(shop.counter.till.payment(shop.tap()))
    shop.type(WRONG)
    shop.counter.until_state(sales[-1].id, State.NOT_SENT)
    shop.counter.do("fault:bank-cut")
    city.doorman.alter = lambda letter: letter.with_body(b"{}")
    sales.append(shop.counter.till.payment(shop.tap()))
    shop.type(WRONG)
    shop.counter.until_state(sales[-1].id, State.UNKNOWN)
    city.doorman.alter = None
    shop.counter.until_final(sales[-1].id)
    for sale in sales:
        said += shop.counter.till.receipt(sale.id)
        said += [line.text for line in shop.counter.till.trace(sale.id)]

    assert len(shop.pad.blocks) == 4
    secrets = [form for block in shop.pad.blocks for form in forms_of(block)]
    secrets += [WRONG.encode(), WRONG.encode().hex().encode(), bytes.fromhex(WRONG)]
    everything = {
        "said": "\n".join(said).encode(),
        **files_of(shop.counter.home / "till", tmp_path / "till"),
        **files_of(city.place.folder, tmp_path / "bank"),
    }
    # The control: what is looked for would be found there.
    assert b"400000******0003" in everything["said"]
    assert {"till.log", "journal.db-wal", "ledger.db"} <= set(everything)
    assert b"400000******0003" in everything["journal.db"] + everything["journal.db-wal"]
    assert {
        name: len(found)
        for name, content in everything.items()
        if (found := [secret for secret in secrets if secret in content])
    } == {}


async def test_a_pin_typed_on_the_till_is_never_on_its_screen(open_counter: Any) -> None:
    """The bench shop's own pad: the screen and the keyboard."""
    counter = open_counter().until_ready()
    app = TillApp(counter.till)
    async with app.run_test(size=(80, 24)) as pilot:
        with watching(counter.till) as watch:
            seen: list[str] = []

            async def until(holds: Callable[[View], bool]) -> None:
                assert await asyncio.to_thread(watch.until, holds, LONG_S) is not None
                await pilot.pause()
                seen.append(screen_of(app))

            def shows(digits: int) -> Callable[[View], bool]:
                return lambda view: view.pin_digits == digits

            await pilot.press(*"6000", "enter")
            await until(lambda view: view.stage is Stage.PRESENT)
            counter.do(CARD)
            await until(lambda view: view.stage is Stage.PIN)
            for count, key in enumerate(WRONG, start=1):
                await pilot.press(key)
                await until(shows(count))
            await pilot.press("enter")
            await until(lambda view: view.stage is Stage.RESULT)
    assert "TEST ONLY" in seen[1]
    assert "*  *  *  *  *  *  *  *" in seen[-2]
    assert "Wrong PIN" in seen[-1]
    assert not any(WRONG[:place] in screen for screen in seen for place in range(3, 9))


def screen_of(app: TillApp) -> str:
    """Return the characters on the screen, row by row."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)
