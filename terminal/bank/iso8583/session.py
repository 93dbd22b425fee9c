"""One till's talk with one host: signing on, and every message after that.

Sans-I/O: bytes to send, bytes that came. The message key of a day comes with
the sign-on, in a key block, and is never written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emv.keys.key_block import Key, Purpose, open_block
from emv.keys.key_block_header import KeyBlockRefused
from terminal.bank.iso8583 import fields as f
from terminal.bank.iso8583 import transactions
from terminal.bank.iso8583.answers import Reply, read_reply
from terminal.bank.iso8583.codec import Codec, Message, MessageCode
from terminal.bank.iso8583.fields import Encoding
from terminal.bank.iso8583.framing import Routing
from terminal.bank.iso8583.transactions import Till
from terminal.errors import AnswerLost, MalformedMessage, UntrustedAnswer

# What a message key must be for. X9.143 has no letter for UnionPay's code; 10
# is of the numbers it leaves to two sides that agree.
PURPOSES: Mapping[MessageCode, Purpose] = {
    MessageCode.RETAIL: Purpose("M3", "T", "C", "N"),
    MessageCode.XOR_BLOCK: Purpose("10", "T", "C", "N"),
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one host wants its messages."""

    encoding: Encoding = Encoding.BCD
    code: MessageCode = MessageCode.RETAIL
    routing: Routing = field(default_factory=Routing)


class Session:
    """Turns messages to bytes and back, by the dialect and the keys of the day."""

    def __init__(self, dialect: Dialect, till: Till, transport_key: bytes) -> None:
        """transport_key: AES, shared with the bank at enrolment; protects the keys of a day."""
        self.till = till
        self._dialect = dialect
        self._transport_key = transport_key
        self._codec = Codec(dialect.encoding, dialect.code)
        self._key: Key | None = None

    @property
    def is_signed_on(self) -> bool:
        """True while there is a message key."""
        return self._key is not None

    @property
    def check_value(self) -> str:
        """The message key's check value in hex, to compare with the bank's; '' without one."""
        return self._key.check_value if self._key else ""

    def forget_keys(self) -> None:
        """Sign on again before the next message."""
        self._key = None

    def sign_on(self, stan: str) -> tuple[Message, bytes]:
        """Return the request for the keys of the day, and its bytes."""
        request = transactions.sign_on(self.till, stan)
        return request, self._dialect.routing.wrap(self._codec.encode(request))

    def take_keys(self, request: Message, routed: bytes) -> None:
        """Take the message key out of a sign-on's answer.

        That answer cannot have a code yet; the key block proves itself.
        Raises MalformedMessage or UntrustedAnswer, and there is no key then.
        """
        self._key = None
        answer = self._codec.decode(self._dialect.routing.unwrap(routed))
        reply = read_reply(request, answer)
        if not reply.is_approved:
            raise UntrustedAnswer(f"the bank refused the sign-on with code {reply.code}")
        purpose = PURPOSES[self._dialect.code]
        try:
            self._key = open_block(answer.get(f.KEYS), self._transport_key, purpose)
        except KeyBlockRefused as refusal:
            raise UntrustedAnswer(f"the keys of the sign-on: {refusal}") from None

    def ask(self, request: Message) -> bytes:
        """Return a request's bytes, with its code.

        Raises MalformedMessage if it cannot be written, or nobody has signed on.
        """
        if self._key is None:
            raise MalformedMessage("no message key; sign on first")
        return self._dialect.routing.wrap(self._codec.encode(request, self._key.value))

    def hear(self, request: Message, routed: bytes) -> Reply:
        """Return the decision in an answer.

        Raises AnswerLost if there is none that can be trusted: the payment is
        unknown then. Where the keys no longer fit, they are forgotten.
        """
        if self._key is None:
            raise AnswerLost("an answer, and no message key to check it with")
        try:
            data = self._dialect.routing.unwrap(routed)
            return read_reply(request, self._codec.decode(data, self._key.value))
        except UntrustedAnswer as error:
            self.forget_keys()
            raise AnswerLost(f"{error}; signing on again") from None
        except MalformedMessage as error:
            raise AnswerLost(str(error)) from None
