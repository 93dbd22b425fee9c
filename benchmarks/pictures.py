"""The pictures from outside that reading is held to, and what is in them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drivers.symbols import load_image

if TYPE_CHECKING:
    from drivers.protocols import Image

UNREADABLE = "real/zxcpp-falsepositives-1/1x100.webp"
"""Shorter than any picture that OpenCV takes."""

MISLABELLED = {
    "real/zxing-qrcode-2/13.png": (
        "The 2005 USGS aerial photography of the Washington Monument is censored."
    )
}
"""Its label, from upstream, lacks a letter that is in the code: OpenCV's
decoder, whose error correction is its own, reads the same as zxing-cpp."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, and the text of the code in it."""

    file: str
    kind: str
    """'qr', 'code128', or 'none'."""
    text: str
    """Without line ends after it; '' if there is no code."""
    folder: Path
    made_with: Mapping[str, Any] = field(default_factory=dict)
    """How a generated one was made: blur in pixels, angles in degrees."""

    @property
    def origin(self) -> str:
        """'synth' if it was generated, else 'real'."""
        return self.file.partition("/")[0]

    def load(self) -> Image:
        """Return its pixels."""
        return load_image(self.folder / self.file)


def all_pictures() -> list[Picture]:
    """Return every picture that can be opened.

    Raises FileNotFoundError if the folder of cases is not where OPENTILL_SHARED says.
    """
    beside = Path(__file__).parent.parent.parent / "shared"
    folder = Path(os.environ.get("OPENTILL_SHARED", beside)) / "testdata" / "qr"
    return [
        Picture(
            case["file"],
            case["kind"],
            MISLABELLED.get(case["file"], case["text"]).rstrip("\r\n"),
            folder,
            case.get("info") or {},
        )
        for case in json.loads((folder / "manifest.json").read_text())
        if case["file"] != UNREADABLE
    ]


def texts(payloads: Iterable[bytes]) -> set[str]:
    """Return payloads as the labels have them."""
    found = set()
    for payload in payloads:
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            text = payload.decode("shift-jis", "replace")
        found.add(text.rstrip("\r\n"))
    return found
