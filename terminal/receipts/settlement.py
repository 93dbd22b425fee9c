"""The close of day as a slip: what the till has, what the bank has, what differs."""

from __future__ import annotations

import datetime
from typing import Final

from terminal.batch.batch import Batch, Difference
from terminal.batch.totals import RowName, currencies_of, net_by, rows_of
from terminal.money import currency_of, plain_amount
from terminal.receipts.receipt import COLUMNS_58_MM, Letterhead, Page, add_head

_ROWS: Final = {
    RowName.CARDS: "银行卡 CARDS",
    RowName.WALLETS: "钱包 WALLETS",
    RowName.TIPS: "小费 TIPS",
    RowName.REFUNDS: "退货 REFUNDS",
    RowName.VOIDS: "撤销 VOIDS",
    RowName.NET: "净额 NET",
}


def settlement_lines(
    batch: Batch, letterhead: Letterhead, *, copy: bool, columns: int = COLUMNS_58_MM
) -> list[str]:
    """Return the slip of a closed batch, no line wider than so many cells.

    copy: printed once already, and marked so.
    Raises AmountRefused if the currency table has lost a currency.
    """
    page = Page(columns)
    add_head(page, letterhead, batch.closed_by, copy=copy)
    page.centre("日终结算 CLOSE OF DAY")
    page.pair("批次 BATCH", str(batch.number))
    page.pair("日期 DAY", batch.day)
    moment = datetime.datetime.fromtimestamp(batch.updated_ms // 1000, datetime.UTC)
    page.pair("时间 TIME", f"{moment.astimezone(letterhead.zone):%Y-%m-%d %H:%M:%S}")
    for letters in currencies_of(batch):
        _sums(page, batch, letterhead, letters)
    for difference in batch.differences or ():
        _difference(page, difference, letterhead)
    page.rule()
    if batch.accepted_by:
        page.centre("已结算，差异已接受")
        page.centre("CLOSED, DIFFERENCE ACCEPTED")
        page.pair("接受人 BY", batch.accepted_by)
        page.pair("备注 NOTE", batch.note)
    else:
        page.centre("已结算，与银行一致")
        page.centre("CLOSED, AGREES WITH BANK")
    return page.lines


def _sums(page: Page, batch: Batch, letterhead: Letterhead, letters: str) -> None:
    page.rule()
    for row in rows_of(batch, letters):
        page.pair(_ROWS[row.name], _money(letterhead, letters, row.till_minor))
        if row.difference_minor and row.bank_minor is not None:
            page.pair("  银行 BANK", _money(letterhead, letters, row.bank_minor))
    page.rule()
    for name in (lambda total: total.brand, lambda total: total.cashier):
        for called, (count, minor) in net_by(batch.totals, name, letters).items():
            page.pair(f"{called or '-'} x{count}", _money(letterhead, letters, minor))


def _difference(page: Page, difference: Difference, letterhead: Letterhead) -> None:
    for side, label in ((difference.till, "本机 TILL"), (difference.bank, "银行 BANK")):
        if side is not None:
            amount = _money(letterhead, side.currency, side.amount_minor)
            page.pair(f"差异 {side.number} {label}", amount)


def _money(letterhead: Letterhead, letters: str, amount_minor: int) -> str:
    currency = currency_of(letters, letterhead.currencies)
    return f"{letters} {plain_amount(amount_minor, currency.digits)}"
