"""How many of the pictures are read, one frame each, beside other decoders.

`python -m benchmarks.decoding --misses` tells, picture by picture, what is not
read and how it was taken.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2

from benchmarks.harness import Row
from benchmarks.pictures import Picture, all_pictures, texts
from benchmarks.symbols import PEER, read_live, read_plainly
from drivers.symbols import ZXingSymbolReader

if TYPE_CHECKING:
    from drivers.protocols import Image

    Read = Callable[[Image], set[str]]

OURS = "OpenTill"
GOALS = {
    ("synth", "qr"): ("generated QR", 94.0),
    ("real", "qr"): ("real QR", 97.5),
    ("synth", "code128"): ("generated Code 128", 88.0),
    ("real", "code128"): ("real Code 128", 100.0),
}
"""By origin and kind: what people call it, and how many percent are to be read."""


@dataclass(slots=True)
class Score:
    """What one decoder makes of all the pictures."""

    read: dict[tuple[str, str], int] = field(default_factory=dict)
    wrong: int = 0
    """Pictures in which something else was read."""


def measure() -> list[Row]:
    """Read every picture with every decoder that is here."""
    pictures = all_pictures()
    scores = {name: Score() for name in (OURS, *peers())}
    for picture in pictures:
        image = picture.load()
        for name, score in scores.items():
            read = _read_ours if name == OURS else peers()[name]
            found = read(image)
            key = picture.origin, picture.kind
            score.read[key] = score.read.get(key, 0) + (picture.text in found)
            score.wrong += not found <= {picture.text}
    return [
        *(
            _row(key, pictures, scores[OURS], name, scores[name])
            for key in GOALS
            for name in peers()
        ),
        *(_wrong_row(len(pictures), scores[OURS], name, scores[name]) for name in peers()),
    ]


def peers() -> dict[str, Read]:
    """Return the plain decoders; pyzbar only where its library is installed."""
    found: dict[str, Read] = {
        PEER: read_plainly,
        "cv2.QRCodeDetector": _by_opencv(cv2.QRCodeDetector()),
        "cv2.QRCodeDetectorAruco": _by_opencv(cv2.QRCodeDetectorAruco()),
    }
    try:
        from pyzbar import pyzbar
    except ImportError:
        return found
    forms = [pyzbar.ZBarSymbol.QRCODE, pyzbar.ZBarSymbol.CODE128]
    found["pyzbar"] = lambda image: texts(one.data for one in pyzbar.decode(image, forms))
    return found


def _by_opencv(detector: cv2.QRCodeDetector | cv2.QRCodeDetectorAruco) -> Read:
    def read(image: Image) -> set[str]:
        try:
            _, found, _, _ = detector.detectAndDecodeMulti(image)
        except (cv2.error, UnicodeDecodeError):
            # It gives up on bytes that are no text, and on some small pictures.
            return set()
        return {text.rstrip("\r\n") for text in found if text}

    return read


def _read_ours(image: Image) -> set[str]:
    return read_live(ZXingSymbolReader(thorough=True), image)


def _row(
    key: tuple[str, str], pictures: Sequence[Picture], ours: Score, name: str, peer: Score
) -> Row:
    words, goal = GOALS[key]
    seen = sum((picture.origin, picture.kind) == key for picture in pictures)
    value, peer_value = 100 * ours.read[key] / seen, 100 * peer.read[key] / seen
    return Row(
        name=f"{words} read, of {seen} pictures",
        value=value,
        unit="%",
        peer=name,
        peer_value=peer_value,
        ratio=value / peer_value if peer_value else None,
        bar=f"≥ {goal:g} %",
        better="higher",
        spread=0.0,
        met=value >= goal,
    )


def _wrong_row(seen: int, ours: Score, name: str, peer: Score) -> Row:
    return Row(
        name=f"misreads and ghosts in {seen} pictures",
        value=ours.wrong,
        unit="pictures",
        peer=name,
        peer_value=peer.wrong,
        ratio=None,
        bar="≤ 0 pictures",
        better="lower",
        spread=0.0,
        met=ours.wrong == 0,
    )


# ---- what is not read ---------------------------------------------------------------

HEAD = ("picture", "level", "px / module", "defocus", "smear", "tilt", "taken with")
"""Defocus and smear are in modules, tilt is in degrees."""


def misses() -> Iterator[tuple[str, ...]]:
    """Yield a line of the table for every picture that is not read."""
    for picture in all_pictures():
        if picture.kind != "none" and picture.text not in _read_ours(picture.load()):
            yield _line(picture)


def _line(picture: Picture) -> tuple[str, ...]:
    made = picture.made_with
    if not made:
        return (picture.file, *[""] * (len(HEAD) - 1))
    module = made["px_per_module"]
    return (
        picture.file.removeprefix("synth/"),
        made["ec"] or "-",
        f"{module:.1f}",
        f"{made['defocus'] / module:.2f}",
        f"{made['motion'] / module:.2f}",
        f"{max(abs(made['tilt']), abs(made['yaw'])):.0f}",
        ", ".join(made["effects"]),
    )


def main() -> None:
    """Print the table of misses as Markdown."""
    if sys.argv[1:] != ["--misses"]:
        sys.exit("usage: python -m benchmarks.decoding --misses")
    for line in (HEAD, ["---"] * len(HEAD), *misses()):
        print(f"| {' | '.join(line)} |", flush=True)


if __name__ == "__main__":
    main()
