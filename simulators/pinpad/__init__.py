"""PIN pads: keys inside, a keyboard in front; behind, a serial line or the till itself."""

from simulators.pinpad.keys import PinPadKeys
from simulators.pinpad.on_screen import ScreenPinPad
from simulators.pinpad.pad import PinPadSimulator

__all__ = ["PinPadKeys", "PinPadSimulator", "ScreenPinPad"]
