"""Wallet payments, both ways: their code at our till, our code on their phone."""

from __future__ import annotations

import base64
from typing import Any

from sqlalchemy import select

from emv import tlv
from simulators.bank import batches
from simulators.bank.accounts import WalletAccount
from simulators.bank.desk import (
    NOT_CONFIRMED,
    REVERSED_BEFORE,
    Desk,
    RRow,
    merchant_account,
)
from simulators.bank.errors import Refused
from simulators.bank.messages import (
    Answer,
    CodesAnswer,
    CodesRequest,
    DecisionRequest,
    OrderRequest,
    PaymentRequest,
    PayRequest,
    PendingAnswer,
    PendingPayment,
    PendingRequest,
    WalletAnswer,
    moment,
)
from simulators.bank.schema import closings, codes, orders, payments

CODE_EXPIRED = "C1"
CODE_USED = "C2"
NOT_A_CODE = "C3"
PAYER_HAS_TO_CONFIRM = "P0"
NOT_ENOUGH_MONEY = "51"

PENDING_VALID_S = 120
"""How long a payment waits for its payer."""

SHOWN_CODE_PREFIX = "HTTPS://PAY.OPENTILL.EXAMPLE/"
"""Upper case keeps a QR code in its denser alphanumeric mode."""

# A proprietary application identifier ('F', then a name of ours).
CPM_APPLICATION = bytes.fromhex("F0") + b"OPENTILLW"


# ---- the customer's code, scanned by the till ------------------------------


def issue(desk: Desk, request: CodesRequest) -> CodesAnswer:
    """Give a wallet a payment code."""
    wallet = _wallet(desk, request.wallet)
    digits = wallet.prefix + desk.new_digits(wallet.digits - len(wallet.prefix))
    code = digits if request.form == "digits" else _consumer_code(wallet, digits)
    expires_ms = desk.now_ms + wallet.code_valid_s * 1000
    row = {
        "code": code,
        "wallet": wallet.id,
        "expires_ms": expires_ms,
        "used": wallet.code_is_used,
    }
    desk.connection.execute(codes.insert(), row)
    return CodesAnswer(code=code, expires_at=moment(expires_ms))


def charge_code(desk: Desk, request: PaymentRequest, code: str) -> None:
    """Decide on a payment code and write it down. One code pays at most once."""
    columns: dict[str, Any] = {
        "kind": request.kind,
        "number": request.number,
        "medium": "payment_code",
        "amount_minor": request.amount_minor,
        "currency": request.currency,
        "at": request.at,
    }
    if request.currency not in desk.accounts.currencies:
        raise Refused(422, "currency_unknown", f"this bank books no {request.currency}")
    found = desk.connection.execute(select(codes).where(codes.c.code == code)).first()
    wallet = desk.accounts.wallet(found.wallet) if found is not None else None
    if found is None or wallet is None:
        desk.add(request.attempt, state="declined", code=NOT_A_CODE, **columns)
        return
    columns |= {"brand": wallet.brand, "account": wallet.account}
    if found.used or found.expires_ms <= desk.now_ms:
        reason = CODE_USED if found.used else CODE_EXPIRED
        desk.add(request.attempt, state="declined", code=reason, **columns)
        return
    desk.connection.execute(codes.update().where(codes.c.code == code).values(used=True))
    over = wallet.confirm_over_minor
    if over is not None and request.amount_minor > over:
        expires_ms = desk.now_ms + PENDING_VALID_S * 1000
        waiting = {"state": "pending", "code": PAYER_HAS_TO_CONFIRM, "expires_ms": expires_ms}
        desk.add(request.attempt, **waiting, reference=desk.new_digits(12), **columns)
    elif request.amount_minor > desk.balance_minor(wallet.account, request.currency):
        desk.add(request.attempt, state="declined", code=NOT_ENOUGH_MONEY, **columns)
    else:
        desk.add(request.attempt, **desk.approval(), **columns)
        _pay_merchant(desk, request.attempt)


def pending(desk: Desk, request: PendingRequest) -> PendingAnswer:
    """List what waits for a wallet's owner."""
    wallet = _wallet(desk, request.wallet)
    query = (
        select(payments)
        .where(
            payments.c.account == wallet.account,
            payments.c.state == "pending",
            payments.c.expires_ms > desk.now_ms,
        )
        .order_by(payments.c.made_ms)
    )
    return PendingAnswer(
        [
            PendingPayment(
                attempt=row.attempt,
                amount_minor=row.amount_minor,
                currency=row.currency,
                merchant=row.merchant,
                expires_at=moment(row.expires_ms),
            )
            for row in desk.connection.execute(query)
        ]
    )


def confirm(desk: Desk, request: DecisionRequest) -> WalletAnswer:
    """Let a waiting payment happen."""
    found = _waiting(desk, request)
    if found.state == "pending":
        if found.amount_minor > desk.balance_minor(found.account, found.currency):
            desk.change(found.attempt, state="declined", code=NOT_ENOUGH_MONEY)
        else:
            desk.change(
                found.attempt,
                state="approved",
                code="00",
                authorisation=desk.new_digits(6),
            )
            _pay_merchant(desk, found.attempt)
        desk.nudged.append(found.till)
    return _tell_wallet(desk, found.attempt)


def refuse(desk: Desk, request: DecisionRequest) -> WalletAnswer:
    """End a waiting payment without money."""
    found = _waiting(desk, request)
    if found.state == "pending":
        desk.change(found.attempt, state="declined", code=NOT_CONFIRMED, why="the payer refused")
        desk.nudged.append(found.till)
    return _tell_wallet(desk, found.attempt)


# ---- the till's code, scanned by the customer ------------------------------


def open_order(desk: Desk, request: OrderRequest) -> Answer:
    """Open a code for the customer to scan, unless the attempt is past that."""
    found = desk.connection.execute(select(orders).where(orders.c.id == request.order)).first()
    if found is not None:
        return _order_again(desk, request, found)
    earlier = desk.payment(request.attempt)
    if earlier is not None:
        if earlier.till != desk.caller:
            raise Refused(422, "attempt_elsewhere", "this attempt belongs to another till")
        if earlier.state == "reversed":
            return desk.say(request.attempt, "declined", REVERSED_BEFORE)
        raise Refused(422, "attempt_settled", f"this attempt is {earlier.state} already")
    if request.currency not in desk.accounts.currencies:
        raise Refused(422, "currency_unknown", f"this bank books no {request.currency}")
    closed = select(closings.c.signed_s).where(closings.c.attempt == request.attempt)
    closed_s = desk.connection.scalar(closed)
    # The closing overtook this order on its way: the till is past it.
    if closed_s is not None and desk.signed_s < closed_s:
        return desk.say(request.attempt, "declined", CODE_EXPIRED)
    batches.enter(desk, request.attempt, request.batch)
    shown_code = SHOWN_CODE_PREFIX + base64.b32encode(desk.random(13)).decode()[:20]
    expires_ms = desk.now_ms + request.valid_s * 1000
    row = {
        "id": request.order,
        "attempt": request.attempt,
        "till": desk.caller,
        "merchant": desk.merchant,
        "number": request.number,
        "amount_minor": request.amount_minor,
        "currency": request.currency,
        "at": request.at,
        "shown_code": shown_code,
        "state": "open",
        "expires_ms": expires_ms,
    }
    desk.connection.execute(orders.insert(), row)
    return _tell_order(desk, request.attempt, shown_code, expires_ms)


def pay_order(desk: Desk, request: PayRequest) -> WalletAnswer:
    """Pay the code a till shows. Scanning it is the payer's confirmation."""
    wallet = _wallet(desk, request.wallet)
    query = select(orders).where(orders.c.shown_code == request.shown_code)
    order = desk.connection.execute(query).first()
    if order is None:
        return WalletAnswer(state="declined", code=NOT_A_CODE)
    if order.state == "paid":
        return WalletAnswer(state="declined", code=CODE_USED)
    is_over = order.state != "open" or order.expires_ms <= desk.now_ms
    if is_over or desk.payment(order.attempt) is not None:
        return WalletAnswer(state="declined", code=CODE_EXPIRED)
    if order.amount_minor > desk.balance_minor(wallet.account, order.currency):
        # The code stays open: another wallet may pay it.
        return WalletAnswer(state="declined", code=NOT_ENOUGH_MONEY)
    paid = {"state": "paid"}
    desk.connection.execute(orders.update().where(orders.c.id == order.id).values(paid))
    desk.close_orders(order.attempt)
    desk.add(
        order.attempt,
        **desk.approval(),
        till=order.till,
        merchant=order.merchant,
        number=order.number,
        kind="sale",
        medium="shown_code",
        amount_minor=order.amount_minor,
        currency=order.currency,
        at=order.at,
        brand=wallet.brand,
        account=wallet.account,
    )
    _pay_merchant(desk, order.attempt)
    desk.nudged.append(order.till)
    return _tell_wallet(desk, order.attempt)


def _order_again(desk: Desk, request: OrderRequest, found: RRow) -> Answer:
    """Answer an order that is known already, and opens nothing new."""
    is_same = (found.attempt, found.till, found.amount_minor, found.currency) == (
        request.attempt,
        desk.caller,
        request.amount_minor,
        request.currency,
    )
    if not is_same:
        raise Refused(422, "order_differs", "this order was opened with other contents")
    if found.state == "open" and found.expires_ms > desk.now_ms:
        return _tell_order(desk, found.attempt, found.shown_code, found.expires_ms)
    return desk.say(found.attempt, "declined", CODE_EXPIRED)


def _tell_order(desk: Desk, attempt: str, shown_code: str, expires_ms: int) -> Answer:
    return Answer(
        at=moment(desk.now_ms),
        attempt=attempt,
        state="open",
        shown_code=shown_code,
        expires_at=moment(expires_ms),
    )


# ---- shared ----------------------------------------------------------------


def _wallet(desk: Desk, id: str) -> WalletAccount:
    """Return the caller's wallet. Raises Refused for anybody else's."""
    if id != desk.caller:
        raise Refused(401, "wallet_differs", "the certificate is another wallet's")
    wallet = desk.accounts.wallet(id)
    if wallet is None:
        raise Refused(422, "wallet_unknown", "this wallet has no account here")
    return wallet


def _waiting(desk: Desk, request: DecisionRequest) -> RRow:
    wallet = _wallet(desk, request.wallet)
    found = desk.payment(request.attempt)
    if found is None or found.account != wallet.account or found.medium != "payment_code":
        raise Refused(422, "not_waiting", "no payment of this wallet has this identity")
    return found


def _pay_merchant(desk: Desk, attempt: str) -> None:
    """Move the money of a wallet's payment that was just approved."""
    row = desk.payment(attempt)
    if row is None:
        raise LookupError(f"attempt {attempt} was approved and is not there")
    merchant = merchant_account(row.merchant)
    desk.move(attempt, "sale", row.account, merchant, row.amount_minor, row.currency)


def _tell_wallet(desk: Desk, attempt: str) -> WalletAnswer:
    row = desk.payment(attempt)
    if row is None:
        raise LookupError(f"attempt {attempt} was just changed and is not there")
    # To its payer a payment undone later is simply over.
    is_decided = row.state in ("approved", "declined")
    return WalletAnswer(
        state=row.state if is_decided else "closed",
        code=row.code,
        attempt=attempt,
        amount_minor=row.amount_minor,
        currency=row.currency,
        merchant=row.merchant,
    )


def _consumer_code(wallet: WalletAccount, digits: str) -> str:
    """Return an EMV consumer-presented code that carries the wallet's token.

    Source: EMVCo QR Code Specification, Consumer-Presented Mode 1.1, 4.
    """
    token = bytes.fromhex(digits if len(digits) % 2 == 0 else f"{digits}F")
    application = (
        tlv.encode(0x4F, CPM_APPLICATION)
        + tlv.encode(0x50, wallet.brand.encode("ascii"))
        + tlv.encode(0x5A, token)
    )
    payload = tlv.encode(0x85, b"CPV01") + tlv.encode(0x61, application)
    return base64.b64encode(payload).decode()
