"""Wallets against the real simulated bank, over its real TLS door."""

from __future__ import annotations

import itertools
import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import pytest

from drivers.protocols import Symbology
from drivers.symbols import ZXingSymbolReader
from simulators.bank import bench, wallets
from simulators.bank.accounts import load_accounts
from simulators.bank.desk import Desk
from simulators.bank.messages import Answer, OrderRequest, PaymentRequest
from simulators.bank.service import BankServer
from simulators.camera import SCENES, Lens
from simulators.phone_screen import draw_screen
from simulators.wallet import UnknownWallet, Wallet, profile, profiles, read_code, screen
from simulators.wallet_door import (
    BankRefused,
    BankUnreachable,
    HTTPSDoor,
    WalletError,
    enrol_wallet,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

LONG_S = 20.0
AT = "2026-11-24T08:00:00.000Z"
ATTEMPTS = (f"00000000-0000-7000-8000-{count:012x}" for count in itertools.count())


def now_ms() -> int:
    return int(time.time() * 1000)


class Shop:
    """A bank that runs, wallets that are enrolled there, and a till's requests.

    What a till asks for is put straight on the bank's desk: its signatures
    are proved elsewhere.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.place = bench.prepare(home, now_ms())
        self.server = BankServer(self.place, time.time, os.urandom).start()

    def wallet(self, name: str) -> Wallet:
        chosen = profile(name)
        folder = self.home / "wallets" / chosen.account
        enrol_wallet(
            folder,
            lambda: bench.issue_enrolment_code(
                self.place, "wallet", chosen.account, now_ms(), os.urandom
            ),
            lambda request: bench.enrol(self.place, request, now_ms()),
        )
        return Wallet(chosen, HTTPSDoor(self.server.url, folder))

    def charge(self, code: str) -> Answer:
        attempt = next(ATTEMPTS)
        request = PaymentRequest(attempt, 1, "sale", 1234, "CNY", AT)

        def work(desk: Desk) -> Answer:
            wallets.charge_code(desk, request, code)
            return desk.tell(attempt)

        return self.at_desk(work)

    def order(self) -> Answer:
        request = OrderRequest(next(ATTEMPTS), next(ATTEMPTS), 1, 1234, "CNY", AT, 60)
        return self.at_desk(lambda desk: wallets.open_order(desk, request))

    def state(self, attempt: str | None) -> Answer:
        assert attempt is not None
        return self.at_desk(lambda desk: desk.tell(attempt))

    def at_desk(self, work: Callable[[Desk], Answer]) -> Answer:
        bank = self.server.bank

        def with_desk(connection: Connection) -> Answer:
            return work(
                Desk(
                    connection,
                    now_ms(),
                    os.urandom,
                    bank.accounts,
                    bank.secrets,
                    caller="till-1",
                    merchant="shop",
                )
            )

        return bank.store.write(with_desk)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    running = Shop(tmp_path_factory.mktemp("home"))
    yield running
    running.server.close()


def photographed(wallet: Wallet, codes: tuple[str, ...]) -> set[tuple[Symbology, str]]:
    """What a till's own reader sees of this screen, through the everyday lens."""
    frame = Lens(3, SCENES["counter"]).frame(screen(wallet.profile, codes), 1, 0)
    return {(found.symbology, found.data.decode()) for found in ZXingSymbolReader().read(frame)}


def test_the_first_wallet_is_the_plain_approval(shop: Shop) -> None:
    assert profiles()[0].name == "alipay-qr"
    answer = shop.charge(shop.wallet("alipay-qr").show().codes[0])
    assert (answer.state, answer.code, answer.brand) == ("approved", "00", "Alipay")


@pytest.mark.parametrize("name", [each.name for each in profiles()])
def test_a_camera_reads_what_each_wallet_shows(shop: Shop, name: str) -> None:
    wallet = shop.wallet(name)
    shown = wallet.show()
    symbology = Symbology.QR if wallet.profile.symbol == "qr" else Symbology.CODE_128
    assert photographed(wallet, shown.codes) == {(symbology, code) for code in shown.codes}
    assert len(shown.codes) == (2 if name == "two-codes" else 1)


@pytest.mark.parametrize(
    ("name", "state", "code"),
    [
        ("wechat-barcode", "approved", "00"),
        ("unionpay-cpm", "approved", "00"),
        ("alipay-dark", "approved", "00"),
        ("alipay-poor", "declined", "51"),
        ("alipay-expired", "declined", "C1"),
        ("alipay-used", "declined", "C2"),
        ("unknown-code", "declined", "C3"),
        ("foreign-code", "declined", "C3"),
    ],
)
def test_each_wallet_ends_as_it_promises(shop: Shop, name: str, state: str, code: str) -> None:
    wallet = shop.wallet(name)
    answer = shop.charge(wallet.show().codes[0])
    assert (answer.state, answer.code) == (state, code)
    promised = wallet.profile.expect
    if name != "foreign-code":  # the till never sends that one
        assert promised.startswith(state)
        assert code == "00" or f"({code})" in promised


def test_an_owner_who_confirms_pays_without_being_told(shop: Shop) -> None:
    answer, wallet = pay_and_attend(shop, "alipay-confirms")
    assert (answer.state, answer.code) == ("approved", "00")
    assert wallet.pending() == []


def test_an_owner_who_refuses_declines(shop: Shop) -> None:
    answer, _ = pay_and_attend(shop, "alipay-refuses")
    assert (answer.state, answer.code) == ("declined", "C4")


def pay_and_attend(shop: Shop, name: str) -> tuple[Answer, Wallet]:
    """Charge a wallet that has to be confirmed, and let its owner look at it."""
    wallet = shop.wallet(name)
    first = shop.charge(wallet.show().codes[0])
    assert (first.state, first.code) == ("pending", "P0")
    told = threading.Event()
    quick = Wallet(replace(wallet.profile, after_s=0.01), Telling(wallet, told))
    stop = threading.Event()
    owner = threading.Thread(target=quick.attend, args=(stop,), kwargs={"every_s": 0.01})
    owner.start()
    assert told.wait(LONG_S)
    stop.set()
    owner.join(LONG_S)
    return shop.state(first.attempt), wallet


class Telling:
    """The wallet's real door, which tells when the owner's word has gone through."""

    def __init__(self, wallet: Wallet, told: threading.Event) -> None:
        self._door = wallet._door
        self._told = told

    def ask(self, path: str, body: Any) -> dict[str, Any]:
        answer = self._door.ask(path, body)
        if path.endswith(("confirm", "refuse")):
            self._told.set()
        return answer


def test_an_owner_who_waits_does_nothing_until_told(shop: Shop) -> None:
    wallet = shop.wallet("wechat-waits")
    first = shop.charge(wallet.show().codes[0])
    wallet.attend(threading.Event())  # returns, since this owner never acts alone
    assert wallet.answer_pending() == []
    (waiting,) = wallet.pending()
    assert (waiting.attempt, waiting.amount_minor, waiting.currency) == (first.attempt, 1234, "CNY")
    verdict = wallet.confirm(waiting.attempt)
    assert (verdict.state, verdict.code, verdict.amount_minor) == ("approved", "00", 1234)
    assert shop.state(first.attempt).state == "approved"


def test_a_wallet_pays_the_code_a_till_shows(shop: Shop) -> None:
    """From a picture of the customer's screen; the second wallet comes too late."""
    order = shop.order()
    assert isinstance(order.shown_code, str)
    picture = draw_screen("Pay here", (0, 0, 0), [order.shown_code])
    verdict = shop.wallet("alipay-qr").scan(picture)
    assert (verdict.state, verdict.amount_minor, verdict.merchant) == ("approved", 1234, "shop")
    assert shop.state(order.attempt).state == "approved"
    again = shop.wallet("wechat-barcode").pay(order.shown_code)
    assert (again.state, again.code) == ("declined", "C2")


def test_a_poor_wallet_leaves_the_shown_code_open(shop: Shop) -> None:
    order = shop.order()
    assert isinstance(order.shown_code, str)
    verdict = shop.wallet("alipay-poor").pay(order.shown_code)
    assert (verdict.state, verdict.code) == ("declined", "51")
    assert shop.state(order.attempt).state == "open"


def test_a_phone_scans_exactly_one_code() -> None:
    with pytest.raises(WalletError, match="0 QR codes"):
        read_code(numpy.full((400, 400, 3), 255, numpy.uint8))
    with pytest.raises(WalletError, match="2 QR codes"):
        read_code(draw_screen("Two", (0, 0, 0), ["one", "two"]))


def test_enrolment_happens_once_and_is_private(shop: Shop) -> None:
    shop.wallet("alipay-qr")
    folder = shop.home / "wallets" / "alipay"
    enrol_wallet(folder, never_called, never_called)
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("tls-key.pem", "tls.pem", "bank-ca.pem"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600


def test_two_who_enrol_one_wallet_at_once_do_it_once(tmp_path: Path) -> None:
    """A second certificate would make the first worthless."""
    shop = Shop(tmp_path / "home")
    folder = tmp_path / "wallet"
    issued: list[str] = []

    def issue() -> str:
        if not issued:
            rival.start()
        code = bench.issue_enrolment_code(shop.place, "wallet", "alipay", now_ms(), os.urandom)
        issued.append(code)
        return code

    def enrol() -> None:
        enrol_wallet(folder, issue, lambda request: bench.enrol(shop.place, request, now_ms()))

    rival = threading.Thread(target=enrol)
    enrol()
    rival.join(LONG_S)
    assert len(issued) == 1
    assert Wallet(profile("alipay-qr"), HTTPSDoor(shop.server.url, folder)).pending() == []
    shop.server.close()


def never_called(*_: object) -> Any:
    raise AssertionError("it is enrolled already")


def test_a_wallet_cannot_speak_for_another(shop: Shop) -> None:
    """The certificate says who asks, whatever the request says."""
    shop.wallet("alipay-qr")
    door = HTTPSDoor(shop.server.url, shop.home / "wallets" / "alipay")
    with pytest.raises(BankRefused, match="wallet_differs"):
        Wallet(profile("wechat-barcode"), door).show()


def test_a_bank_of_another_authority_is_not_believed(shop: Shop, tmp_path: Path) -> None:
    shop.wallet("alipay-qr")
    own = shop.home / "wallets" / "alipay"
    for name in ("tls-key.pem", "tls.pem"):
        (tmp_path / name).write_bytes((own / name).read_bytes())
    other = bench.prepare(tmp_path / "elsewhere", now_ms())
    (tmp_path / "bank-ca.pem").write_bytes(other.ca_certificate.read_bytes())
    with pytest.raises(BankUnreachable, match="certificate verify failed") as caught:
        Wallet(profile("alipay-qr"), HTTPSDoor(shop.server.url, tmp_path)).show()
    assert isinstance(caught.value.__cause__, ssl.SSLError)


def test_missing_certificates_and_strange_addresses_are_named(tmp_path: Path) -> None:
    with pytest.raises(WalletError, match=re.escape(str(tmp_path))):
        HTTPSDoor("https://127.0.0.1:1", tmp_path)
    with pytest.raises(WalletError, match="http://bank is not an https address"):
        HTTPSDoor("http://bank", tmp_path)


def test_every_profile_has_an_account_and_words_in_two_languages() -> None:
    known = load_accounts()
    for each in profiles():
        assert known.wallet(each.account) is not None, f"{each.name} banks nowhere"
        assert each.title.isascii()
        assert each.expect.isascii()
        assert not each.title_zh.isascii()
        assert not each.expect_zh.isascii()
    orders = [each.order for each in profiles()]
    assert orders == sorted(set(orders))


def test_an_unknown_wallet_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownWallet, match=r"no wallet 'purse'; there is: alipay-qr, "):
        profile("purse")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('colour = "1677FF"\nhue = 1', "wrong.toml: hue: unknown key"),
        ("", "wrong.toml: colour: missing"),
        ('colour = "1677FF"\nsymbol = "ean13"', "wrong.symbol: one of"),
        ("colour == 1", "wrong.toml: .*line 9"),
    ],
)
def test_a_wrong_profile_is_named_with_its_key(tmp_path: Path, line: str, complaint: str) -> None:
    keys = ("title", "title_zh", "expect", "expect_zh", "account", "brand")
    lines = [f'{key} = "x"' for key in keys] + ["order = 1", ""]
    (tmp_path / "wrong.toml").write_text("\n".join([*lines, line]))
    with pytest.raises(WalletError, match=complaint):
        profiles(tmp_path)


def test_a_code_too_long_for_the_screen_is_refused() -> None:
    with pytest.raises(ValueError, match="too dense"):
        draw_screen("Phone", (0, 0, 0), ["9" * 90], symbol="code128")
