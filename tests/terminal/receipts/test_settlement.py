"""The slip of the close of day: every figure on it, and within every width."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from config import BENCH, load_settings
from terminal.batch.batch import Batch, BatchState, Difference, Line, Means, Total
from terminal.receipts.cells import cell_width
from terminal.receipts.receipt import COLUMNS_MIN, Letterhead
from terminal.receipts.settlement import settlement_lines
from terminal.view import Kind

SETTINGS = load_settings(BENCH)
LETTERHEAD = Letterhead.of(SETTINGS.shop, SETTINGS.currencies, datetime.UTC)
LINE = Line("a1", 412, Kind.SALE, Means.WALLET, "Alipay", "CNY", 3600, "Lin Mei")
TILL = (
    Total(Kind.REFUND, Means.CARD, "Visa", "CNY", 1, 1200, "Wang Fang"),
    Total(Kind.SALE, Means.CARD, "Visa", "CNY", 3, 391_220, "Lin Mei"),
    Total(Kind.SALE, Means.WALLET, "Alipay", "CNY", 1, 3600, "Lin Mei"),
)
BATCH = Batch(
    number=128,
    state=BatchState.CLOSED,
    day="2026-11-23",
    totals=TILL,
    digest="",
    updated_ms=1_795_507_200_000,
    closed_by="Wang Fang",
    bank=TILL,
)
ACCEPTED = replace(
    BATCH,
    bank=TILL[:2],
    differences=(Difference("a1", LINE, None),),
    accepted_by="王芳",
    note="已与银行核对",
)


def slip(batch: Batch, *, copy: bool = False, columns: int = 32) -> list[str]:
    return settlement_lines(batch, LETTERHEAD, copy=copy, columns=columns)


def test_an_agreeing_day_says_what_was_closed() -> None:
    lines = slip(BATCH)
    told = [" ".join(line.split()) for line in lines]
    for wanted in (
        "批次 BATCH 128",
        "日期 DAY 2026-11-23",
        "时间 TIME 2026-11-24 08:00:00",
        "操作员 CASHIER Wang Fang",
        "银行卡 CARDS CNY 3,912.20",
        "钱包 WALLETS CNY 36.00",
        "退货 REFUNDS CNY -12.00",
        "净额 NET CNY 3,936.20",
        "Visa x4 CNY 3,900.20",
        "Lin Mei x4 CNY 3,948.20",
        "CLOSED, AGREES WITH BANK",
    ):
        assert wanted in told
    assert "银行 BANK" not in " ".join(told)


def test_an_accepted_difference_names_lines_and_who() -> None:
    told = [" ".join(line.split()) for line in slip(ACCEPTED)]
    for wanted in (
        "差异 412 本机 TILL CNY 36.00",
        "CLOSED, DIFFERENCE ACCEPTED",
        "接受人 BY 王芳",
        "备注 NOTE 已与银行核对",
    ):
        assert wanted in told
    assert "AGREES" not in " ".join(told)


def test_a_slip_begun_twice_says_that_it_is_a_copy() -> None:
    assert "COPY" in " ".join(slip(BATCH, copy=True))
    assert "COPY" not in " ".join(slip(BATCH))


@pytest.mark.parametrize("columns", [COLUMNS_MIN, 32, 42, 48])
@pytest.mark.parametrize("batch", [BATCH, ACCEPTED], ids=["agrees", "accepted"])
def test_no_line_is_wider_than_the_paper(batch: Batch, columns: int) -> None:
    assert max(map(cell_width, slip(batch, columns=columns))) <= columns
