"""What can go wrong in a card simulator itself. What a card refuses is a status word."""


class CardSimulatorError(Exception):
    """The simulated card cannot be made, or cannot be kept."""


class UnknownProfile(CardSimulatorError):
    """No card or phone has this name; the message lists those there are."""


class BadProfile(CardSimulatorError):
    """A profile's file cannot be used; the message names file and key."""


class BadFault(CardSimulatorError):
    """A fault was asked for in words that name none."""


class KeysUnusable(CardSimulatorError):
    """A file of keys or counters is damaged or out of reach; the message names it."""
