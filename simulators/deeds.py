"""What can be presented to a till, or broken around it, by name."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Group(enum.StrEnum):
    """What kind of thing is presented."""

    CARD = "card"
    CHIP = "chip"
    PHONE = "phone"
    CODE = "code"
    FAULT = "fault"
    SEE = "see"


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that can be presented or broken in this shop."""

    id: str
    group: Group
    title: str
    title_zh: str
    expect: str = ""
    expect_zh: str = ""
    is_on: bool = False


class NoSuchDeed(Exception):
    """The shop cannot do this, or not now; the message says why."""


PINS = (
    Deed(
        "pin:1234",
        Group.CARD,
        "Customer enters PIN 1234",
        "顾客输入密码 1234",
        "the PIN of every card here; once the till asks for one",
        "这里每张卡的密码；收银机要求时使用",
    ),
    Deed(
        "pin:0000",
        Group.CARD,
        "Customer enters PIN 0000",
        "顾客输入密码 0000",
        "wrong PIN; the third one blocks it for a day",
        "密码错误；错三次锁定一天",
    ),
    Deed(
        "pin:skip",
        Group.CARD,
        "Customer goes on without a PIN",
        "顾客跳过密码",
        "where the shop allows it and a chip asks; card and bank are told",
        "商店允许且芯片卡要求密码时可用；卡片和银行会得知",
    ),
    Deed(
        "pin:cancel",
        Group.CARD,
        "Customer cancels the PIN",
        "顾客取消输入密码",
        "the card is not charged; another one may pay",
        "此卡不扣款，可换一张卡",
    ),
)

FAULTS = (
    Deed(
        "fault:tear",
        Group.FAULT,
        "Next card leaves too early",
        "下一张卡提前移开",
        "tap again",
        "请再碰一次",
    ),
    Deed(
        "fault:two-cards",
        Group.FAULT,
        "Two cards at once",
        "同时出示两张卡",
        "present one card only",
        "请只放一张",
    ),
    Deed(
        "fault:reader-unplugged",
        Group.FAULT,
        "Reader unplugged",
        "读卡器断开",
        "the reader is named; codes still pay",
        "提示读卡器；仍可扫码",
    ),
    Deed(
        "fault:camera-stalled",
        Group.FAULT,
        "Camera stands still",
        "摄像头停顿",
        "the camera is named; cards still pay",
        "提示摄像头；仍可刷卡",
    ),
    Deed(
        "fault:bank-cut",
        Group.FAULT,
        "Bank not reached",
        "银行断网",
        "not sent: nothing was charged",
        "未发送，未扣款",
    ),
    Deed(
        "fault:bank-silent",
        Group.FAULT,
        "Bank takes, and does not answer",
        "银行收到但不应答",
        "unknown: do not charge again",
        "未确定，请勿重复收款",
    ),
    Deed(
        "fault:network-slow",
        Group.FAULT,
        "Slow network",
        "网络缓慢",
        "approved, some seconds later",
        "数秒后批准",
    ),
)
