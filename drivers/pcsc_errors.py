"""What PC/SC's result codes mean for a till.

The numbers are PC/SC's own; nothing here needs its library.
Source: pcsclite.h; PC/SC Part 5.
"""

from __future__ import annotations

from drivers.errors import (
    CardRemoved,
    DeviceLost,
    DeviceTimeout,
    DeviceUnavailable,
    DriverError,
    ServiceLost,
)

SUCCESS = 0x0000_0000
CANCELLED = 0x8010_0002
TIMEOUT = 0x8010_000A
SHARING_VIOLATION = 0x8010_000B
MUTE = frozenset({0x8010_000F, 0x8010_0015, 0x8010_0065, 0x8010_0066, 0x8010_0067})
"""What a card comes to that is there and cannot be started."""

_MEANINGS: dict[int, tuple[type[DriverError], str]] = {
    # No card, or no longer the one that was powered.
    0x8010_000C: (CardRemoved, "no card is in the reader"),
    0x8010_000F: (CardRemoved, "reader and card have no protocol in common"),
    0x8010_0015: (CardRemoved, "the card's answer to reset makes no sense"),
    0x8010_0016: (CardRemoved, "the command did not get through"),
    0x8010_002F: (CardRemoved, "data was lost between reader and card"),
    0x8010_0065: (CardRemoved, "the reader cannot talk to this card"),
    0x8010_0066: (CardRemoved, "the card does not answer the reader"),
    0x8010_0067: (CardRemoved, "the card has no power"),
    0x8010_0068: (CardRemoved, "the card was reset"),
    0x8010_0069: (CardRemoved, "the card was taken away"),
    # The reader.
    0x8010_0009: (DeviceLost, "the reader is gone"),
    0x8010_0017: (DeviceLost, "the reader is unplugged"),
    0x8010_002E: (DeviceLost, "no reader is plugged in"),
    # pcscd. An unknown handle is one that a daemon took with it when it died.
    0x8010_0001: (ServiceLost, "the PC/SC service failed"),
    0x8010_0003: (ServiceLost, "the PC/SC service was restarted"),
    0x8010_0013: (ServiceLost, "the PC/SC service broke off"),
    0x8010_0014: (ServiceLost, "the PC/SC service failed"),
    0x8010_001D: (ServiceLost, "the PC/SC service is not running"),
    0x8010_001E: (ServiceLost, "the PC/SC service was stopped"),
    0x8010_006A: (ServiceLost, "the PC/SC service refuses this user; see its polkit rules"),
    TIMEOUT: (DeviceTimeout, "the reader did not answer in time"),
    SHARING_VIOLATION: (DeviceUnavailable, "another program uses the card"),
}


def unsigned(result: int) -> int:
    """Return a result code as pcsclite.h writes it; the library's may be negative."""
    return result & 0xFFFF_FFFF


def error_of(result: int) -> DriverError:
    """Return the error for a result code other than SUCCESS.

    A code nobody knows counts as a lost reader: opening it anew is the cure.
    """
    code = unsigned(result)
    kind, meaning = _MEANINGS.get(code, (DeviceLost, "the reader failed"))
    return kind(f"{meaning} (PC/SC {code:08X})")
