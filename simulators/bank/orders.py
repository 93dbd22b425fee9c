"""What the issuer orders its chip cards to do: again and again, until they say it is done.

A card says so with its next cryptogram, which covers it: how many commands it
carried out, and whether one of them failed.
"""

from __future__ import annotations

from sqlalchemy import select

from simulators.bank.accounts import CardAccount
from simulators.bank.desk import Desk
from simulators.bank.issuer import scripts
from simulators.bank.issuer.card import CardData
from simulators.bank.issuer.formats import read_issuer_data
from simulators.bank.schema import card_orders

SENT = "sent"
DONE = "done"


def script_for(desk: Desk, account: CardAccount, card: CardData, issuer_key: bytes) -> bytes:
    """Return the script that a card still has to carry out; empty for none.

    card: whose cryptogram is genuine.
    """
    if account.script is None or not scripts.can_be_told(card):
        return b""
    where = card_orders.c.account == account.account
    before = desk.connection.scalar(select(card_orders.c.state).where(where))
    if before == SENT and _has_done(card, account.script):
        before = DONE
        desk.connection.execute(card_orders.update().where(where).values(state=DONE))
    if before == DONE:
        return b""
    if before is None:
        row = {"account": account.account, "state": SENT}
        desk.connection.execute(card_orders.insert(), row)
    return scripts.script(card, issuer_key, account.script, account.new_pin)


def _has_done(card: CardData, order: scripts.Order) -> bool:
    said = read_issuer_data(card.values)
    return said.orders_done >= scripts.count(order) and not said.has_order_failed
