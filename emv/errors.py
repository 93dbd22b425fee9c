"""What can go wrong in card and code data. Messages carry no card data."""


class EmvError(Exception):
    """Somebody broke a rule of the specification."""


class MalformedData(EmvError):
    """Bytes or text that do not have the shape they must have."""


class DataMissing(MalformedData):
    """The card left out an object that must be there."""

    def __init__(self, tag: int) -> None:
        super().__init__(f"tag {tag:X} is missing")
        self.tag = tag


class CardRefused(EmvError):
    """The card answered a command with a status we cannot go on from."""

    def __init__(self, command: str, status: int) -> None:
        super().__init__(f"{command} refused with status {status:04X}")
        self.command = command
        self.status = status


class LinkLost(EmvError):
    """The link to the card failed; thrown into a kernel by whoever pumps it."""

    def __init__(self, kind: str) -> None:
        """kind: 'timeout', 'transmission' or 'protocol', as in Error Indication."""
        super().__init__(f"link to the card failed: {kind}")
        self.kind = kind


class Cancelled(EmvError):
    """The cardholder or the cashier called the payment off."""


class AuthenticationFailed(EmvError):
    """Offline data authentication failed; the message names the check."""


class ConfigurationError(EmvError):
    """The terminal's own data cannot be used; the message names the tag."""
