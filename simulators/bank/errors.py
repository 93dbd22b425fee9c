"""What can go wrong at the bank. A decline is an answer, not one of these."""


class BankError(Exception):
    """The bank cannot do what was asked; messages carry no card data."""


class Refused(BankError):
    """A message the bank does not act on; it becomes a 4xx or 5xx answer."""

    def __init__(self, status: int, word: str, detail: str) -> None:
        """status: of HTTP. word: stable, for programs. detail: a sentence."""
        super().__init__(f"{status} {word}: {detail}")
        self.status = status
        self.word = word
        self.detail = detail


class EnrolmentRefused(BankError):
    """A one-time code or a signing request that earns no certificate."""


class StoreBusy(BankError):
    """Other transactions kept getting in the way; asking again is safe."""


class StoreUnusable(BankError):
    """The bank's database is not one of this release."""


class LedgerBroken(BankError):
    """Somebody tried to book what does not balance."""


class BankFileWrong(BankError):
    """A file of the bank's folder is missing or unreadable; the message names it."""
