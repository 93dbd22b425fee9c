"""What nfcpy itself writes while it speaks with a card, read as any log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import nfc
import nfc.clf
import nfc.tag
import pytest

from simulators.readers.nfc_udp import NfcUdpCard
from terminal.decoding.apdu_log import read_log

COMMANDS = ("00A404000E325041592E5359532E444446303100", "00A4040007A000000003101000")
LOWEST = 9


@pytest.mark.wire
@pytest.mark.parametrize("layer", ["nfc", "nfc.clf"])
def test_nfcpys_own_log_is_read(
    layer: str,
    opentill_nfc_udp: NfcUdpCard,
    opentill_card: Callable[[str], Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With APDUs, blocks and frames in it, or with blocks alone."""
    caplog.set_level(LOWEST if layer == "nfc" else logging.DEBUG, layer)
    if layer == "nfc":
        caplog.set_level(logging.DEBUG, "nfc.tag.tt4")
    with nfc.ContactlessFrontend(opentill_nfc_udp.path) as frontend:
        opentill_nfc_udp.present(opentill_card("visa-online"), stay=True)
        target = frontend.sense(nfc.clf.RemoteTarget("106A"), iterations=20, interval=0.1)
        tag = nfc.tag.activate(frontend, target)
        answers = [bytes(tag.transceive(bytes.fromhex(command))) for command in COMMANDS]
    records = [each for each in caplog.records if each.name.startswith(layer)]

    exchanges = read_log("\n".join(f"{each.name}:{each.getMessage()}" for each in records))

    said = [(each.command.hex().upper(), each.response) for each in exchanges]
    assert said == list(zip(COMMANDS, answers, strict=True))
