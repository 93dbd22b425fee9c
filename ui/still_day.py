"""A close of day that stands still, for pictures and tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from terminal.batch.batch import Batch, BatchState, Difference, Line, Means, Total
from terminal.view import Kind


def _sold(means: Means, kind: Kind, amount_minor: int) -> Total:
    return Total(kind, means, "", "CNY", 1, amount_minor)


_REFUNDS = _sold(Means.CARD, Kind.REFUND, 21_000)
_VOIDS = _sold(Means.CARD, Kind.VOID, 1_880)
_CARDS = _sold(Means.CARD, Kind.SALE, 391_220)

BATCH = Batch(
    number=128,
    state=BatchState.OPEN,
    day="2026-11-23",
    totals=(_CARDS, _sold(Means.WALLET, Kind.SALE, 269_850), _REFUNDS, _VOIDS),
    digest="",
    bank=(_CARDS, _sold(Means.WALLET, Kind.SALE, 266_250), _REFUNDS, _VOIDS),
)
_WALLET_LINE = Line("", 412, Kind.SALE, Means.WALLET, "Alipay", "CNY", 3_600, "Lin Mei")
DIFFERS = replace(
    BATCH, state=BatchState.DIFFERS, differences=(Difference("", _WALLET_LINE, None),)
)
CLOSED = replace(BATCH, state=BatchState.CLOSED, bank=BATCH.totals)


class StillDay:
    """Notes what is asked for at the close of day."""

    def __init__(self, wish: Callable[..., str]) -> None:
        self._wish = wish

    def ask_totals(self) -> None:
        """Note the wish."""
        self._wish("totals")

    def compare_lines(self) -> None:
        """Note the wish."""
        self._wish("compare")

    def close(self) -> int:
        """Note the wish."""
        self._wish("close")
        return BATCH.number

    def check(self, number: int) -> None:
        """Note the wish."""
        self._wish("check", number)

    def accept(self, number: int, note: str) -> None:
        """Note the wish."""
        self._wish("accept", number, note)
