"""An answer that no reader got: a card keeps it, and tells it at the next tap.

Source: EMV Contactless Book C-2, RECOVER AC.
"""

from __future__ import annotations

from simulators.card.errors import KeysUnusable
from simulators.card.folder import PrivateFolder


class Unsaid:
    """One card's last word, in a file that outlives the process."""

    def __init__(self, folder: PrivateFolder, name: str) -> None:
        """folder/name: two lines of hexadecimal digits, or nothing."""
        self._folder = folder
        self._name = name

    def read(self) -> tuple[bytes, bytes] | None:
        """Return what a reader must say to hear it, and the answer; None if all is said.

        Raises KeysUnusable, naming the file.
        """
        lines = (self._folder.read(self._name) or b"").decode("ascii", "replace").split()
        if not lines:
            return None
        try:
            recovery_data, answer = (bytes.fromhex(line) for line in lines)
        except ValueError as error:
            path = self._folder.path / self._name
            raise KeysUnusable(f"{path}: damaged; remove it, and all is said") from error
        return recovery_data, answer

    def keep(self, recovery_data: bytes, answer: bytes) -> None:
        """Keep an answer. Raises KeysUnusable."""
        self._write(f"{recovery_data.hex()}\n{answer.hex()}\n".encode())

    def forget(self) -> None:
        """It is said, or nobody wants it any more. Raises KeysUnusable."""
        if self.read() is not None:
            self._write(b"")

    def _write(self, content: bytes) -> None:
        with self._folder.locked():
            self._folder.write(self._name, content)
