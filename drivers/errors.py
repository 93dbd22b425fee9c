"""What can go wrong with a device. Vendor exceptions become these."""


class DriverError(Exception):
    """A device, or the way to it, broke its promise."""


class DeviceLost(DriverError):
    """The device itself is gone: unplugged, closed, its service dead."""


class ServiceLost(DeviceLost):
    """The program that serves the device is gone: for card readers, pcscd."""


class DeviceTimeout(DriverError):
    """The device is there and silent."""


class DeviceGarbled(DeviceTimeout):
    """The device says what nobody asked, and no answer: its speed is not the line's."""


class DeviceNotReady(DriverError):
    """The device waits for a person: paper, cover, keys. The message says for what."""


class DeviceUnavailable(DriverError):
    """The device cannot be opened; the message names the step that mends it."""


class CardRemoved(DriverError):
    """The card left while it was being talked to: the outcome is unknown."""


class CardClash(DriverError):
    """More than one card answers in the field."""


class CardMute(DriverError):
    """A card is in the slot and does not start: upside down, dirty, or broken."""


class CommandRefused(DriverError):
    """The caller's bytes are no command, or none that this link can carry."""


class UnknownDriver(DriverError):
    """Config names a driver that is not in the registry's table."""


class OptionRefused(DriverError):
    """Config gives a driver an option it does not take."""


class ImageUnreadable(DriverError):
    """A file is not a picture, or is a damaged one."""
