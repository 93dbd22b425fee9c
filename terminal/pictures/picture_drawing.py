"""A camera's picture as coloured half blocks, with a box round what was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drivers.protocols import Image

RESET = "\x1b[0m"
BOX = (0, 255, 0)
"""Red, green, blue."""

Point = tuple[int, int]


def picture_lines(
    image: Image,
    columns: int,
    rows: int,
    boxes: Sequence[Sequence[Point]] = (),
    *,
    halves: bool = True,
) -> list[str]:
    """Return lines of text, at most columns wide and rows high.

    image: height × width × 3 in blue, green, red, or height × width grey levels.
    boxes: corners in the picture's pixels, in order round each box.
    halves: two points to a half block; else a point is two blanks, for
    terminals that draw half blocks two columns wide.
    """
    if image.ndim == 2:
        image = image[:, :, None].repeat(3, 2)
    columns, rows = (columns, 2 * rows) if halves else (columns // 2, rows)
    height, width = image.shape[:2]
    step = max(1, -(-width // columns), -(-height // rows))
    wide, high = width // step, height // step // 2 * 2
    parts = image[: high * step, : wide * step].reshape(high, step, wide, step, 3)
    # Every pixel of a part counts: bars would flicker if only some did.
    colours = parts.mean((1, 3))[:, :, ::-1].astype(int).tolist()
    for box in boxes:
        for x, y in _outline([(x // step, y // step) for x, y in box]):
            if 0 <= x < wide and 0 <= y < high:
                colours[y][x] = BOX
    if not halves:
        return [
            "".join(f"\x1b[48;2;{_code(colour)}m  " for colour in line) + RESET for line in colours
        ]
    return [
        "".join(
            f"\x1b[38;2;{_code(upper)};48;2;{_code(lower)}m▀"
            for upper, lower in zip(colours[row], colours[row + 1], strict=True)
        )
        + RESET
        for row in range(0, high, 2)
    ]


def _code(colour: Sequence[int]) -> str:
    return ";".join(map(str, colour))


def _outline(corners: Sequence[Point]) -> Iterator[Point]:
    """Yield the points of a closed line through the corners."""
    for (x, y), (to_x, to_y) in zip(corners, [*corners[1:], *corners[:1]], strict=True):
        steps = max(abs(to_x - x), abs(to_y - y), 1)
        for at in range(steps):
            yield x + round((to_x - x) * at / steps), y + round((to_y - y) * at / steps)
