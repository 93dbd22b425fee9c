"""Online PINs: how many tries an account has left, and which serial numbers were used.

The block is opened in issuer.pin; nothing of it is written down.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from simulators.bank.accounts import CardAccount
from simulators.bank.desk import Desk
from simulators.bank.errors import Refused
from simulators.bank.issuer import pin
from simulators.bank.issuer.card import ARQC, CardData
from simulators.bank.issuer.pin import Verdict
from simulators.bank.issuer.rules import PIN_BLOCKED, PIN_NOT_CHECKED, WRONG_PIN, Decision
from simulators.bank.schema import pin_pads, pins
from simulators.bank.trust.sealing import SealedCard

TRIES_MAX = 3
"""The last wrong one blocks the PIN."""
FORGIVEN_MS = int(timedelta(days=1).total_seconds() * 1000)
"""So long after the last wrong try all tries are back."""


def check_agreement(card: CardData, sealed: SealedCard, cryptogram_type: int) -> None:
    """Raise Refused where a till says that a PIN was entered and sends none, or the reverse.

    A PIN is for now: no sale that the card has approved already carries one.
    """
    has_pin = sealed.pin_block is not None
    if has_pin and cryptogram_type != ARQC:
        raise Refused(422, "pin_unfit", "this path takes no PIN")
    if card.is_pin_announced and not has_pin:
        raise Refused(422, "pin_missing", "tag 9F34 says that a PIN was entered, and there is none")
    if has_pin and not card.is_pin_announced:
        raise Refused(422, "pin_unfit", "there is a PIN, and tag 9F34 does not say so")


def check(desk: Desk, account: CardAccount, pan: str, sealed: SealedCard) -> Decision | None:
    """Return what is wrong with the PIN of a sale; None for a right one, or for none at all.

    A wrong PIN uses up a try of the account, a right one gives all of them back.
    """
    if sealed.pin_block is None or sealed.pin_ksn is None:
        return None
    verdict = _verify(desk, account, pan, sealed.pin_block, sealed.pin_ksn)
    if verdict not in (Verdict.CORRECT, Verdict.WRONG):
        return Decision(PIN_NOT_CHECKED, f"the PIN is {verdict.value}")
    wrong_tries = _wrong_tries(desk, account)
    if wrong_tries >= TRIES_MAX:
        return Decision(PIN_BLOCKED, "the PIN is blocked")
    if verdict is Verdict.CORRECT:
        _note_tries(desk, account, 0)
        return None
    _note_tries(desk, account, wrong_tries + 1)
    is_blocked_now = wrong_tries + 1 == TRIES_MAX
    return Decision(PIN_BLOCKED if is_blocked_now else WRONG_PIN, "the PIN is wrong")


def _verify(desk: Desk, account: CardAccount, pan: str, block: str, ksn: str) -> Verdict:
    base_key = desk.secrets.pin_base_key()
    if base_key is None or account.pin is None:
        return Verdict.UNREADABLE
    serial = bytes.fromhex(ksn)
    where = pin_pads.c.pad == pin.pad_of(serial).hex()
    seen = desk.connection.scalar(select(pin_pads.c.counter).where(where)) or 0
    verdict = pin.verify(
        bytes.fromhex(block),
        serial,
        pan,
        base_key=base_key,
        pin=account.pin,
        counter_seen=seen,
    )
    if verdict in (Verdict.CORRECT, Verdict.WRONG):
        # Only the pad itself can have made it: nobody else moves its counter on.
        desk.connection.execute(pin_pads.delete().where(where))
        row = {"pad": pin.pad_of(serial).hex(), "counter": pin.counter_of(serial)}
        desk.connection.execute(pin_pads.insert(), row)
    return verdict


def _wrong_tries(desk: Desk, account: CardAccount) -> int:
    query = select(pins.c.wrong_tries).where(
        pins.c.account == account.account, pins.c.last_ms > desk.now_ms - FORGIVEN_MS
    )
    return desk.connection.scalar(query) or 0


def _note_tries(desk: Desk, account: CardAccount, wrong_tries: int) -> None:
    desk.connection.execute(pins.delete().where(pins.c.account == account.account))
    if wrong_tries:
        row = {"account": account.account, "wrong_tries": wrong_tries, "last_ms": desk.now_ms}
        desk.connection.execute(pins.insert(), row)
