"""What a till can ask: pay, give back, undo, close, and what is booked."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import func, select

from emv import tlv
from simulators.bank import batches, follow_ups, holds, orders, pins, wallets
from simulators.bank.accounts import CardAccount
from simulators.bank.desk import REVERSED_BEFORE, Desk, RRow, merchant_account
from simulators.bank.errors import Refused
from simulators.bank.issuer import cryptogram, rules
from simulators.bank.issuer.card import ARQC, TC, CardData, read_card
from simulators.bank.issuer.rules import Decision
from simulators.bank.messages import (
    AdviceRequest,
    Answer,
    BalanceRequest,
    CardTender,
    CloseRequest,
    CodeTender,
    KeyedTender,
    PaymentRequest,
    ReversalRequest,
    StatusRequest,
    moment,
)
from simulators.bank.schema import closings, credentials, cryptograms, payments
from simulators.bank.trust.proofs import check_proof
from simulators.bank.trust.sealing import (
    SealedCard,
    SealedKeyed,
    open_card,
    open_code,
    open_keyed,
)

DAY_MS = int(timedelta(days=1).total_seconds() * 1000)


def pay(desk: Desk, request: PaymentRequest) -> Answer:
    """Decide on a payment, whatever its kind."""
    refused = _check_first(desk, request.attempt)
    if refused is not None:
        return refused
    batches.enter(desk, request.attempt, request.batch)
    if request.original is not None:
        follow_ups.book(desk, request)
    elif isinstance(request.tender, CardTender):
        _charge_card(desk, request, _opened(desk, request, request.tender), ARQC)
    elif isinstance(request.tender, KeyedTender):
        keyed = open_keyed(request.tender.sealed, desk.secrets.sealing, request.attempt)
        _charge_keyed(desk, request, keyed)
    elif request.kind != "sale":
        raise Refused(422, "tender_unfit", "money is held on cards only")
    elif isinstance(request.tender, CodeTender):
        sealed = open_code(request.tender.sealed, desk.secrets.sealing, request.attempt)
        wallets.charge_code(desk, request, sealed.code)
    return desk.tell(request.attempt)


def advise(desk: Desk, request: AdviceRequest) -> Answer:
    """Book a sale that a till kept: if the card approved it, or if its issuer does now."""
    refused = _check_first(desk, request.attempt)
    if refused is not None:
        return refused
    check_proof(request, key_id=desk.caller, key_pems=_signing_keys(desk))
    card = _opened(desk, request, request.tender)
    if card.pin_block is not None:
        raise Refused(422, "pin_unfit", "this path takes no PIN")
    batches.enter(desk, request.attempt, request.batch)
    _charge_card(desk, request, card, ARQC if request.deferred else TC)
    return desk.tell(request.attempt)


def balance(desk: Desk, request: BalanceRequest) -> Answer:
    """Tell what a card's account has; nothing is booked, and nothing stays open."""
    sealed = open_card(request.tender.sealed, desk.secrets.sealing, request.attempt)
    card = read_card(sealed.emv)
    _check_agreement(desk, request, card, ARQC)
    pins.check_agreement(card, sealed, ARQC)
    account = desk.accounts.card(card.pan)
    if account is None:
        return desk.say(request.attempt, "declined", rules.INVALID_CARD)
    issuer_key = desk.secrets.issuer_key()
    if not rules.is_genuine(card, issuer_key):
        return desk.say(request.attempt, "declined", rules.DO_NOT_HONOUR)
    is_replay = not _use_cryptogram(desk, account.account, card, issuer_key, request.attempt)
    history = _history(desk, account, request.currency, is_replay=is_replay)
    check_pin = partial(pins.check, desk, account, card.pan, sealed)
    decision = rules.decide(account, card, 0, history, desk.today, check_pin)
    is_told = decision.code == rules.APPROVED
    return Answer(
        at=moment(desk.now_ms),
        attempt=request.attempt,
        state="approved" if is_told else "declined",
        code=decision.code,
        brand=account.brand,
        emv=tlv.encode(0x91, rules.issuer_answer(card, issuer_key, decision.code)).hex().upper(),
        balance_minor=history.balance_minor if is_told else None,
    )


def _signing_keys(desk: Desk) -> list[str]:
    """Return the caller's public keys: a kept sale may have been signed before a renewal."""
    query = select(credentials.c.signing_key).where(
        credentials.c.role == "till",
        credentials.c.id == desk.caller,
        credentials.c.state != "revoked",
    )
    return list(dict.fromkeys([desk.signing_key, *desk.connection.scalars(query)]))


def charge_card(
    desk: Desk, request: PaymentRequest, card: SealedCard, cryptogram_type: int
) -> Answer:
    """Decide on a sale whose card came in another way than under a seal."""
    refused = _check_first(desk, request.attempt)
    if refused is not None:
        return refused
    batches.enter(desk, request.attempt, request.batch)
    _charge_card(desk, request, card, cryptogram_type)
    return desk.tell(request.attempt)


def status(desk: Desk, request: StatusRequest) -> Answer:
    """Tell what is booked."""
    _check_till(desk, desk.payment(request.attempt))
    return desk.tell(request.attempt)


def reverse(desk: Desk, request: ReversalRequest) -> Answer:
    """Let no money stand under an attempt, now and later."""
    found = desk.payment(request.attempt)
    _check_till(desk, found)
    desk.close_orders(request.attempt)
    if found is None:
        # It may still be on its way: this line is what stops it.
        desk.add(request.attempt, state="reversed", why=f"reversed unseen: {request.reason}")
        return desk.say(request.attempt, "reversed")
    if found.state == "approved":
        _undo(desk, found)
    if found.state != "reversed":
        desk.change(request.attempt, state="reversed", why=f"reversed: {request.reason}")
    return desk.say(request.attempt, "reversed")


def close(desk: Desk, request: CloseRequest) -> Answer:
    """Shut every door of an attempt through which a wallet's money may come."""
    found = desk.payment(request.attempt)
    _check_till(desk, found)
    if found is None:
        desk.close_orders(request.attempt)
        _remember_closing(desk, request.attempt)
        return desk.say(request.attempt, "closed")
    if found.state == "pending":
        desk.change(request.attempt, state="closed", code="", why="closed by the till")
        return desk.say(request.attempt, "closed")
    if found.state in ("approved", "declined"):
        return desk.tell(request.attempt)
    return desk.say(request.attempt, "closed")


def _check_first(desk: Desk, attempt: str) -> Answer | None:
    """Return the answer to an attempt reversed before, raise Refused for one settled."""
    found = desk.payment(attempt)
    _check_till(desk, found)
    if found is not None and found.state == "reversed":
        return desk.say(attempt, "declined", REVERSED_BEFORE)
    if found is not None:
        raise Refused(422, "attempt_settled", f"this attempt is {found.state} already")
    if desk.open_order(attempt) is not None:
        raise Refused(422, "order_open", "close the attempt's shown code first")
    return None


def _check_till(desk: Desk, found: RRow | None) -> None:
    if found is not None and found.till != desk.caller:
        raise Refused(422, "attempt_elsewhere", "this attempt belongs to another till")


def _undo(desk: Desk, found: RRow) -> None:
    """Undo the money of an approved payment, as far as it still stands."""
    if found.original is not None:
        follow_ups.undo(desk, found)
    elif found.kind == "preauth":
        if (hold := holds.find_hold(desk, found.attempt)) is not None:
            holds.let_go(desk, found.attempt, "reversal", hold)
    elif rest_minor := found.amount_minor - follow_ups.refunded_minor(desk, found.attempt):
        merchant = merchant_account(found.merchant)
        desk.move(found.attempt, "reversal", merchant, found.account, rest_minor, found.currency)


# ---- cards -----------------------------------------------------------------


def _opened(desk: Desk, request: PaymentRequest | AdviceRequest, tender: CardTender) -> SealedCard:
    return open_card(tender.sealed, desk.secrets.sealing, request.attempt)


def _charge_card(
    desk: Desk,
    request: PaymentRequest | AdviceRequest,
    sealed: SealedCard,
    cryptogram_type: int,
) -> None:
    """Decide on a card and write it down, money included.

    Raises Refused if the card data contradicts itself or the request.
    """
    card = read_card(sealed.emv)
    _check_agreement(desk, request, card, cryptogram_type)
    pins.check_agreement(card, sealed, cryptogram_type)
    account = desk.accounts.card(card.pan)
    columns = _columns(request)
    if account is None:
        desk.add(request.attempt, state="declined", code=rules.INVALID_CARD, **columns)
        return
    columns |= {"account": account.account, "brand": account.brand}
    issuer_key = desk.secrets.issuer_key()
    if not rules.is_genuine(card, issuer_key):
        why = "the cryptogram is wrong"
        desk.add(request.attempt, state="declined", code=rules.DO_NOT_HONOUR, why=why, **columns)
        return
    is_replay = not _use_cryptogram(desk, account.account, card, issuer_key, request.attempt)
    history = _history(desk, account, request.currency, is_replay=is_replay)
    if cryptogram_type == TC:
        decision = rules.decide_advice(history)
    else:
        check_pin = partial(pins.check, desk, account, card.pan, sealed)
        decision = rules.decide(account, card, request.amount_minor, history, desk.today, check_pin)
        if decision.code != rules.ISSUER_DOWN:
            answer = rules.issuer_answer(card, issuer_key, decision.code)
            told = tlv.encode(0x91, answer) + orders.script_for(desk, account, card, issuer_key)
            columns["emv"] = told.hex().upper()
    _book(desk, request.attempt, decision, columns)


def _charge_keyed(desk: Desk, request: PaymentRequest, keyed: SealedKeyed) -> None:
    """Decide on a card that is not there, by its number and date alone."""
    if request.currency not in desk.accounts.currencies:
        raise Refused(422, "currency_unknown", f"this bank books no {request.currency}")
    account = desk.accounts.card(keyed.pan)
    columns = _columns(request)
    if account is None:
        desk.add(request.attempt, state="declined", code=rules.INVALID_CARD, **columns)
        return
    history = _history(desk, account, request.currency, is_replay=False)
    decision = rules.decide_keyed(account, keyed.expires, request.amount_minor, history, desk.today)
    columns |= {"account": account.account, "brand": account.brand}
    _book(desk, request.attempt, decision, columns)


def _columns(request: PaymentRequest | AdviceRequest) -> dict[str, Any]:
    """Return what is written down of a card payment, whatever is decided."""
    return {
        "kind": request.kind,
        "number": request.number,
        "medium": "card",
        "amount_minor": request.amount_minor,
        "currency": request.currency,
        "at": request.at,
    }


def _history(desk: Desk, account: CardAccount, currency: str, *, is_replay: bool) -> rules.History:
    holds.end_late(desk, account.account)
    return rules.History(
        balance_minor=desk.balance_minor(account.account, currency),
        approved_today=_approved_today(desk, account),
        is_replay=is_replay,
    )


def _check_agreement(
    desk: Desk,
    request: PaymentRequest | AdviceRequest | BalanceRequest,
    card: CardData,
    cryptogram_type: int,
) -> None:
    """Raise Refused where the card was told something else than the bank."""
    if card.cryptogram_type != cryptogram_type:
        expected = "an ARQC" if cryptogram_type == ARQC else "a TC"
        raise Refused(422, "cryptogram_unfit", f"this path takes {expected} and no other kind")
    if card.amount_minor != request.amount_minor:
        raise Refused(422, "amount_differs", "the card was told another amount")
    number = desk.accounts.currencies.get(request.currency)
    if number is None:
        raise Refused(422, "currency_unknown", f"this bank books no {request.currency}")
    if card.currency_number != number:
        raise Refused(422, "currency_differs", "the card was told another currency")


def _use_cryptogram(
    desk: Desk, account: str, card: CardData, issuer_key: bytes, attempt: str
) -> bool:
    """Take note of a genuine cryptogram; False if its counter was used before.

    Counters need not rise: a sale approved offline may arrive days late.
    """
    key = {
        "account": account,
        "key_check": cryptogram.key_check(issuer_key),
        "atc": card.counter,
    }
    where = [cryptograms.c[name] == value for name, value in key.items()]
    if desk.connection.execute(select(cryptograms).where(*where)).first() is not None:
        return False
    desk.connection.execute(cryptograms.insert(), key | {"attempt": attempt})
    return True


def _approved_today(desk: Desk, account: CardAccount) -> int:
    """Count the approvals of the last 24 hours, for an account that has a rule about them."""
    if account.payments_per_day_max is None:
        return 0
    query = select(func.count()).where(
        payments.c.account == account.account,
        payments.c.made_ms > desk.now_ms - DAY_MS,
        payments.c.kind.in_(("sale", "preauth")),
        payments.c.state.in_(("approved", "captured")),
    )
    return desk.connection.scalar(query) or 0


def _book(desk: Desk, attempt: str, decision: Decision, columns: dict[str, Any]) -> None:
    """Write a decision on a customer's sale down, and move its money."""
    if decision.code != rules.APPROVED:
        desk.add(attempt, state="declined", code=decision.code, why=decision.why, **columns)
        return
    desk.add(attempt, **desk.approval(), **columns)
    account, amount_minor, currency = (
        columns[name] for name in ("account", "amount_minor", "currency")
    )
    if columns["kind"] == "preauth":
        holds.open_hold(desk, attempt, account, amount_minor, currency)
        return
    merchant = merchant_account(desk.merchant)
    desk.move(attempt, "sale", account, merchant, amount_minor, currency)


def _remember_closing(desk: Desk, attempt: str) -> None:
    """Note when the till closed, so that an order signed before that opens nothing."""
    where = closings.c.attempt == attempt
    desk.connection.execute(closings.delete().where(where))
    desk.connection.execute(closings.insert(), {"attempt": attempt, "signed_s": desk.signed_s})
