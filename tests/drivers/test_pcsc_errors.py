"""PC/SC's result codes become the four things a till can do something about."""

import pytest

from drivers.errors import (
    CardRemoved,
    DeviceLost,
    DeviceTimeout,
    DeviceUnavailable,
    DriverError,
    ServiceLost,
)
from drivers.pcsc_errors import error_of


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0x8010000C, CardRemoved),  # SCARD_E_NO_SMARTCARD
        (0x80100016, CardRemoved),  # SCARD_E_NOT_TRANSACTED: removal not noticed yet
        (0x80100069, CardRemoved),  # SCARD_W_REMOVED_CARD
        (0x80100068, CardRemoved),  # SCARD_W_RESET_CARD
        (0x80100009, DeviceLost),  # SCARD_E_UNKNOWN_READER
        (0x80100017, DeviceLost),  # SCARD_E_READER_UNAVAILABLE
        (0x8010002E, DeviceLost),  # SCARD_E_NO_READERS_AVAILABLE
        (0x80100013, ServiceLost),  # SCARD_F_COMM_ERROR: pcscd killed in mid-command
        (0x8010001D, ServiceLost),  # SCARD_E_NO_SERVICE
        (0x8010001E, ServiceLost),  # SCARD_E_SERVICE_STOPPED
        (0x80100003, ServiceLost),  # SCARD_E_INVALID_HANDLE: of a pcscd that was restarted
        (0x8010006A, ServiceLost),  # SCARD_W_SECURITY_VIOLATION: polkit says no
        (0x8010000A, DeviceTimeout),  # SCARD_E_TIMEOUT
        (0x8010000B, DeviceUnavailable),  # SCARD_E_SHARING_VIOLATION
        (0x80100FFF, DeviceLost),  # Nobody knows it.
    ],
)
def test_each_code_is_of_one_kind_and_named_in_the_message(
    code: int, kind: type[DriverError]
) -> None:
    error = error_of(code)

    assert type(error) is kind
    assert f"{code:08X}" in str(error)


def test_a_library_that_counts_below_zero_means_the_same() -> None:
    assert type(error_of(0x8010000C - (1 << 32))) is CardRemoved
