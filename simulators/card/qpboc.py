"""The applet of kernel 7: qVSDC's steps with UnionPay's cryptogram and electronic cash.

Source: JR/T 0025 (PBOC 3.0), parts 5, 12 and 13, as public descriptions give
it. unsettled: no published cryptogram of a card could be compared.
"""

from __future__ import annotations

from emv import apdu, tags, tlv
from emv.apdu import CommandAPDU
from emv.bits import TTQ
from simulators.card.applet import Handlers, Refused
from simulators.card.cryptogram import COVERED_TAGS, pboc_cryptogram
from simulators.card.decision import Cryptogram, Owner, Verdict
from simulators.card.personalisation import Personalisation
from simulators.card.qvsdc import KEY_INDEX, PDOL, QVSDC, card_results
from simulators.card.static_data import data_list

VERSION = 0x01
TRIPLE_DES = 0x01
"""Issuer application data: which algorithm made the cryptogram."""
YES = b"\x01"


class QPBOC(QVSDC):
    """One qPBOC application of a card or a phone; its purse is as issued when it is made."""

    pdol = PDOL + data_list(
        (tags.TAG_9F7A_EC_TERMINAL_SUPPORT_INDICATOR, 1),
        (tags.TAG_DF60_CAPP_TRANSACTION_INDICATOR, 1),
        (tags.TAG_DF69_SM_ALGORITHM_SUPPORT_INDICATOR, 1),
    )

    def __init__(self, card: Personalisation, owner: Owner, *, is_phone: bool) -> None:
        super().__init__(card, owner, is_phone=is_phone)
        self._purse_minor = card.profile.purse_minor

    def _handlers(self) -> Handlers:
        return {**super()._handlers(), apdu.INS_GET_DATA: (0x80, self._get_data)}

    def _get_data(self, command: CommandAPDU) -> bytes:
        tag = command.p1 << 8 | command.p2
        if tag != tags.TAG_9F79_EC_BALANCE or self._purse_minor is None:
            raise Refused(apdu.STATUS_DATA_NOT_FOUND)
        return tlv.encode(tag, bytes.fromhex(f"{self._purse_minor:012d}"))

    def _decide(self, ttq: TTQ, given: dict[int, bytes]) -> Verdict | None:
        """Pay out of the purse where reader and purse allow; else ask the issuer."""
        verdict = super()._decide(ttq, given)
        if verdict is None or verdict.cryptogram is not Cryptogram.TC or self._purse_minor is None:
            return verdict
        amount = int(given[tags.TAG_9F02_AMOUNT_AUTHORISED].hex())
        takes_purse = given[tags.TAG_9F7A_EC_TERMINAL_SUPPORT_INDICATOR] == YES
        if not takes_purse or amount > self._purse_minor:
            is_offline_only = TTQ.OFFLINE_ONLY in ttq
            return Verdict(Cryptogram.AAC if is_offline_only else Cryptogram.ARQC, verdict.ctq)
        self._purse_minor -= amount
        return verdict

    def _cryptogram(self, kind: Cryptogram, given: dict[int, bytes]) -> tuple[bytes, bytes]:
        """Return issuer application data, and the cryptogram over it."""
        results = card_results(kind)
        issuer_data = bytes((0x07, KEY_INDEX, VERSION)) + results + bytes((TRIPLE_DES,))
        counter = int.from_bytes(given[tags.TAG_9F36_ATC], "big")
        covered = b"".join(given[tag] for tag in COVERED_TAGS)
        return issuer_data, pboc_cryptogram(self.card.card_key, counter, covered, results)
