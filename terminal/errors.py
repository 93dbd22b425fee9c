"""What can go wrong in the payment. A decline is an outcome, not one of these."""


class TillError(Exception):
    """The till cannot do what was asked; the message says why and what next."""


class IllegalTransition(TillError):
    """A payment was asked to move where the table has no way."""


class JournalCorrupt(TillError):
    """The journal's chain, schema or pages do not hold."""


class JournalUnavailable(TillError):
    """The journal cannot be opened or written: locked, full, read-only."""


class AmountRefused(TillError):
    """An amount is zero, negative, too large, or not of its currency."""


class AlreadySettled(TillError):
    """Nothing is left to refund or void."""


class NotAllowed(TillError):
    """The shop, the state or the person forbids it."""


class ApprovalNeeded(NotAllowed):
    """Somebody else must say yes beside who asks; then it may be asked again."""

    def __init__(self, text: str, act: str) -> None:
        """act: a terminal.people.privileges.Act."""
        super().__init__(text)
        self.act = act


class SignInRefused(TillError):
    """Name, secret or code is wrong; which of them is not told."""


class SignInLocked(SignInRefused):
    """Too many wrong tries for this name; the message says for how long."""


class SecretRefused(TillError):
    """A new secret is too easy to guess."""


class UnknownPerson(TillError):
    """Nobody of this name works here."""


class RegisterUnusable(TillError):
    """The register of people or its audit log cannot be opened, written or believed."""


class Busy(TillError):
    """Another payment stands in the way; the message names it."""


class UnknownPayment(TillError):
    """No payment has this number or identity."""


class BenchRefused(TillError):
    """The bench cannot do this now."""


class LiveShopRefused(TillError):
    """A live shop was configured with something only a bench may have."""


class BankLinkError(TillError):
    """The bank's certificate, signature or answer cannot be trusted."""


class NeverLeft(BankLinkError):
    """Provably nothing of the request left the till: it may be tried again."""


class KeyModuleLost(NeverLeft):
    """The hardware that holds the signing key does not answer: nothing was signed."""


class LinkNotSecure(NeverLeft):
    """Bank and till could not prove themselves to each other: trying again will not help."""


class AnswerLost(BankLinkError):
    """The request left and no verified answer came: only the bank knows."""


class UntrustedAnswer(BankLinkError):
    """An answer's signature, digest or form does not hold; the message names it."""


class MalformedMessage(BankLinkError):
    """Bytes that are no message of the bank link, or a request it has no room for."""


class KeysUnusable(BankLinkError):
    """A key, certificate or identity of the till is missing, broken or open to others."""


class ParametersRefused(BankLinkError):
    """What the bank wants set does not fit this shop; nothing was changed."""


class PushUnavailable(BankLinkError):
    """No broker tells this till when to ask; it asks in its own time."""


class EnrolmentRefused(BankLinkError):
    """The bank's enrolment answer does not fit what was asked; nothing was stored."""


class CodeTooLong(TillError):
    """A text does not fit into any QR code."""
