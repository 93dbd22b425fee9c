"""The pad's keys: injected at first use below the state directory.

pinpad/base-key    the acquirer's base derivation key, 32 hexadecimal digits;
                   the bank reads it too, a till never does
pinpad/device      what the pad holds of AES DUKPT; it moves on with each PIN
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from emv.errors import MalformedData
from emv.keys import dukpt
from simulators.card.errors import KeysUnusable
from simulators.card.folder import PrivateFolder

FOLDER: Final = "pinpad"
BASE_KEY_NAME: Final = "base-key"
BASE_KEY_BYTES: Final = 16
DEVICE_NAME: Final = "device"
MAKER: Final = bytes.fromhex("0F7E5700")
"""The first half of every initial key id here; the second half is this pad's."""


def base_key(home: Path, random: Callable[[int], bytes] = secrets.token_bytes) -> bytes:
    """Return the base key below a state directory, made now if there is none.

    Raises KeysUnusable, naming the file, if it can be neither read nor made.
    """
    folder = PrivateFolder(home / FOLDER)
    content = folder.read_or_make(
        BASE_KEY_NAME, lambda: random(BASE_KEY_BYTES).hex().upper().encode() + b"\n"
    )
    try:
        key = bytes.fromhex(content.decode("ascii"))
    except ValueError as error:
        raise _damaged(folder.path / BASE_KEY_NAME) from error
    if len(key) != BASE_KEY_BYTES:
        raise _damaged(folder.path / BASE_KEY_NAME)
    return key


class PinPadKeys:
    """The keys of one pad, one for each PIN, none twice through any restart."""

    def __init__(self, home: Path, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        """home: the state directory. random: a source of unpredictable bytes."""
        self._home = home
        self._random = random
        self._folder = PrivateFolder(home / FOLDER)

    def key_id(self) -> bytes:
        """Return the initial key's id, 8 bytes. Raises KeysUnusable, as all here do."""
        return self._device().save()[: dukpt.KEY_ID_BYTES]

    def next_pin_key(self) -> tuple[bytes, bytes]:
        """Return a serial number and the AES key for the one PIN that goes with it."""
        self._device()
        with self._folder.locked():
            device = self._device()
            ksn, transaction = device.next_key()
            # On disk before it is used: after a power cut a key is skipped, not repeated.
            self._folder.write(DEVICE_NAME, device.save())
        return ksn, dukpt.working_key(transaction, ksn, dukpt.Usage.PIN_ENCRYPTION)

    def _device(self) -> dukpt.Device:
        content = self._folder.read_or_make(DEVICE_NAME, self._inject)
        try:
            return dukpt.Device.restore(content)
        except MalformedData as error:
            raise _damaged(self._folder.path / DEVICE_NAME) from error

    def _inject(self) -> bytes:
        """Do what a key injection room does before a pad is delivered."""
        key_id = MAKER + self._random(dukpt.KEY_ID_BYTES - len(MAKER))
        base = self._base_key_while_locked()
        return dukpt.Device.inject(dukpt.initial_key(base, key_id), key_id).save()

    def _base_key_while_locked(self) -> bytes:
        """Return the base key; the folder is locked already while a device is made."""
        content = self._folder.read(BASE_KEY_NAME)
        if content is None:
            self._folder.write(
                BASE_KEY_NAME, self._random(BASE_KEY_BYTES).hex().upper().encode() + b"\n"
            )
        return base_key(self._home)


def _damaged(path: Path) -> KeysUnusable:
    return KeysUnusable(f"{path}: damaged; remove the folder, and new keys are injected")
