"""What the bank has to say to the cashiers of a till, numbered, oldest first."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from simulators.bank.desk import Desk
from simulators.bank.messages import Bulletin, BulletinsAnswer, BulletinsRequest, moment
from simulators.bank.schema import bulletins

AT_ONCE = 20
TEXT_MAX = 200


def publish(connection: Connection, till: str, text: str, now_ms: int) -> int:
    """Have a till's cashier read a text; return its number."""
    number = newest_number(connection, till) + 1
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    row = {"till": till, "number": number, "text": plain[:TEXT_MAX], "made_ms": now_ms}
    connection.execute(bulletins.insert(), row)
    return number


def newest_number(connection: Connection, till: str) -> int:
    """Return the number of a till's newest; 0 if there is none."""
    query = select(func.max(bulletins.c.number)).where(bulletins.c.till == till)
    return connection.scalar(query) or 0


def tell(desk: Desk, request: BulletinsRequest) -> BulletinsAnswer:
    """Return what a till has not had read yet."""
    query = (
        select(bulletins)
        .where(bulletins.c.till == desk.caller, bulletins.c.number > int(request.after))
        .order_by(bulletins.c.number)
        .limit(AT_ONCE)
    )
    return BulletinsAnswer(
        at=moment(desk.now_ms),
        bulletins=[
            Bulletin(number=row.number, at=moment(row.made_ms), text=row.text)
            for row in desk.connection.execute(query)
        ],
    )
