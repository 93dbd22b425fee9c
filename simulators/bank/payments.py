"""What a till can ask: pay, give back, undo, close, and what is booked."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import func, select

from emv import tlv
from simulators.bank import batches, pins, wallets
from simulators.bank.accounts import CardAccount
from simulators.bank.desk import (
    NO_ORIGINAL,
    NOT_POSSIBLE,
    REVERSED_BEFORE,
    WRONG_AMOUNT,
    Desk,
    RRow,
    merchant_account,
)
from simulators.bank.errors import Refused
from simulators.bank.issuer import cryptogram, rules, scripts
from simulators.bank.issuer.card import ARQC, TC, CardData, read_card
from simulators.bank.issuer.rules import Decision
from simulators.bank.messages import (
    AdviceRequest,
    Answer,
    CardTender,
    CloseRequest,
    CodeTender,
    PaymentRequest,
    ReversalRequest,
    StatusRequest,
)
from simulators.bank.schema import closings, credentials, cryptograms, payments
from simulators.bank.trust.proofs import check_proof
from simulators.bank.trust.sealing import SealedCard, open_card, open_code

DAY_MS = int(timedelta(days=1).total_seconds() * 1000)


def pay(desk: Desk, request: PaymentRequest) -> Answer:
    """Decide on a sale, a refund or a void."""
    refused = _check_first(desk, request.attempt)
    if refused is not None:
        return refused
    batches.enter(desk, request.attempt, request.batch)
    if request.kind == "refund":
        _refund(desk, request)
    elif request.kind == "void":
        _void(desk, request)
    elif isinstance(request.tender, CardTender):
        _charge_card(desk, request, _opened(desk, request, request.tender), ARQC)
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
        _give_back(desk, found)
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
    columns: dict[str, Any] = {
        "kind": request.kind,
        "number": request.number,
        "medium": "card",
        "amount_minor": request.amount_minor,
        "currency": request.currency,
        "at": request.at,
    }
    if account is None:
        desk.add(request.attempt, state="declined", code=rules.INVALID_CARD, **columns)
        return
    columns |= {"account": account.account, "brand": account.brand}
    issuer_key = desk.secrets.issuer_key()
    if not rules.is_genuine(card, issuer_key):
        why = "the cryptogram is wrong"
        desk.add(request.attempt, state="declined", code=rules.DO_NOT_HONOUR, why=why, **columns)
        return
    history = rules.History(
        balance_minor=desk.balance_minor(account.account, request.currency),
        approved_today=_approved_today(desk, account),
        is_replay=not _use_cryptogram(desk, account.account, card, issuer_key, request.attempt),
    )
    if cryptogram_type == TC:
        decision = rules.decide_advice(history)
    else:
        check_pin = partial(pins.check, desk, account, card.pan, sealed)
        decision = rules.decide(account, card, request.amount_minor, history, desk.today, check_pin)
        if decision.code != rules.ISSUER_DOWN:
            columns["emv"] = _for_the_card(card, account, issuer_key, decision).hex().upper()
    _book(desk, request.attempt, decision, columns)


def _for_the_card(
    card: CardData, account: CardAccount, issuer_key: bytes, decision: Decision
) -> bytes:
    """Return what the issuer tells its card: a proof, and orders if it can hear them."""
    told = tlv.encode(0x91, rules.issuer_answer(card, issuer_key, decision.code))
    if account.script is not None and scripts.can_be_told(card):
        told += scripts.script(card, issuer_key, account.script)
    return told


def _check_agreement(
    desk: Desk, request: PaymentRequest | AdviceRequest, card: CardData, cryptogram_type: int
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
        payments.c.kind == "sale",
        payments.c.state == "approved",
    )
    return desk.connection.scalar(query) or 0


def _book(desk: Desk, attempt: str, decision: Decision, columns: dict[str, Any]) -> None:
    """Write a decision on a customer's sale down, and move its money."""
    if decision.code != rules.APPROVED:
        desk.add(attempt, state="declined", code=decision.code, why=decision.why, **columns)
        return
    desk.add(attempt, **desk.approval(), **columns)
    desk.move(
        attempt,
        "sale",
        columns["account"],
        merchant_account(desk.merchant),
        columns["amount_minor"],
        columns["currency"],
    )


# ---- giving back -----------------------------------------------------------


def _refund(desk: Desk, request: PaymentRequest) -> None:
    original = _original(desk, request)
    code = NO_ORIGINAL
    if original is not None:
        code = rules.APPROVED
        if original.state != "approved" or original.kind != "sale":
            code = NOT_POSSIBLE
        elif request.amount_minor > original.amount_minor - _refunded(desk, original.attempt):
            code = WRONG_AMOUNT
    _book_return(desk, request, original, code)


def _void(desk: Desk, request: PaymentRequest) -> None:
    original = _original(desk, request)
    code = NO_ORIGINAL
    if original is not None:
        code = rules.APPROVED
        is_standing = original.state == "approved" and original.kind == "sale"
        if (
            not is_standing
            or _refunded(desk, original.attempt)
            or batches.is_settled(desk, original)
        ):
            code = NOT_POSSIBLE
        elif request.amount_minor != original.amount_minor:
            code = WRONG_AMOUNT
    _book_return(desk, request, original, code)
    if code == rules.APPROVED and original is not None:
        desk.change(original.attempt, state="voided")


def _original(desk: Desk, request: PaymentRequest) -> RRow | None:
    """Return the sale a refund or a void names, if this merchant made it in this currency."""
    original = desk.payment(request.original or "")
    if original is None or original.merchant != desk.merchant:
        return None
    return original if original.currency == request.currency else None


def _refunded(desk: Desk, attempt: str) -> int:
    """Return what of a sale was given back already."""
    query = select(func.sum(payments.c.amount_minor)).where(
        payments.c.original == attempt,
        payments.c.kind == "refund",
        payments.c.state == "approved",
    )
    return int(desk.connection.scalar(query) or 0)


def _book_return(desk: Desk, request: PaymentRequest, original: RRow | None, code: str) -> None:
    columns: dict[str, Any] = {
        "kind": request.kind,
        "number": request.number,
        "amount_minor": request.amount_minor,
        "currency": request.currency,
        "at": request.at,
        "original": request.original,
    }
    if original is None or code != rules.APPROVED:
        desk.add(request.attempt, state="declined", code=code, **columns)
        return
    columns |= {
        "medium": original.medium,
        "account": original.account,
        "brand": original.brand,
    }
    desk.add(request.attempt, **desk.approval(), **columns)
    desk.move(
        request.attempt,
        request.kind,
        merchant_account(desk.merchant),
        original.account,
        request.amount_minor,
        request.currency,
    )


def _give_back(desk: Desk, found: RRow) -> None:
    """Undo the money of an approved payment, as far as it still stands."""
    customer, merchant = found.account, merchant_account(found.merchant)
    if found.kind == "sale":
        rest = found.amount_minor - _refunded(desk, found.attempt)
        if rest:
            desk.move(found.attempt, "reversal", merchant, customer, rest, found.currency)
        return
    original = desk.payment(found.original)
    # Was the sale itself reversed meanwhile, the customer has all of it back
    # already, this part included, and must not lose it again.
    if original is None or original.state not in ("approved", "voided"):
        return
    desk.move(found.attempt, "reversal", customer, merchant, found.amount_minor, found.currency)
    if found.kind == "void":
        desk.change(original.attempt, state="approved")


def _remember_closing(desk: Desk, attempt: str) -> None:
    """Note when the till closed, so that an order signed before that opens nothing."""
    where = closings.c.attempt == attempt
    desk.connection.execute(closings.delete().where(where))
    desk.connection.execute(closings.insert(), {"attempt": attempt, "signed_s": desk.signed_s})
