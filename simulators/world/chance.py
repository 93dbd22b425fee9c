"""Chance from a seed: one stream for each purpose, so that none disturbs another."""

from __future__ import annotations

import random


def chance(seed: int, *purpose: object) -> random.Random:
    """Return the stream of one purpose, the same for the same seed."""
    return random.Random("/".join(map(str, (seed, *purpose))))  # noqa: S311
