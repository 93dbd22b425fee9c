"""What can go wrong with a simulated reader or card on a wire."""


class ReaderSimulatorError(Exception):
    """A simulated reader, or a card before it, cannot do what was asked."""


class BadATR(ReaderSimulatorError):
    """An answer to reset that no card could give."""


class NotInstalled(ReaderSimulatorError):
    """A program the simulator stands on is missing; the message says how to get it."""
