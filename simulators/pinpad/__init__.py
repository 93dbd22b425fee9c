"""A PIN pad: keys inside, a keyboard in front, a serial line behind."""

from simulators.pinpad.keys import PinPadKeys
from simulators.pinpad.pad import PinPadSimulator

__all__ = ["PinPadKeys", "PinPadSimulator"]
