"""Which of a kernel's configurations an activation is for: the reader's AID decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from emv.entry_point import Activation
from emv.errors import ConfigurationError

T = TypeVar("T")


def choose(configurations: Mapping[bytes, T], activation: Activation, kernel_id: int) -> T:
    """Return the configuration of the combination's AID.

    Raises ConfigurationError, naming the AID, if there is none.
    """
    aid = activation.combination.aid
    if aid not in configurations:
        name = aid.hex().upper()
        raise ConfigurationError(f"AID {name}: kernel {kernel_id} has no configuration")
    return configurations[aid]
