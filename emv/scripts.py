"""Issuer scripts: commands the issuer sends to its card, and how they went.

Templates 71 go to the card before the final GENERATE AC, 72 after it. The
terminal does not understand them; it delivers and reports.
Source: EMV 4.4 Book 3, 10.10 and Annex E.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from emv import tags, tlv
from emv.conversation import Kernel, exchange
from emv.errors import MalformedData

SW1_GOES_ON = frozenset({0x90, 0x62, 0x63})
"""Success and warnings; anything else ends a script. Source: Book 3, Annex E."""

NOT_PERFORMED = 0x00
FAILED = 0x10
SUCCESSFUL = 0x20
OUTCOMES = {NOT_PERFORMED: "not performed", FAILED: "failed", SUCCESSFUL: "carried out"}
COMMAND_NUMBER_MAX = 0x0F
"""This one and those beyond it are all reported as F."""
COMMAND_BYTES_MIN = 4


@dataclass(frozen=True, slots=True)
class Script:
    """One issuer script."""

    template: int
    """71 or 72."""
    identifier: bytes
    """Tag 9F18, 4 bytes; zeros where the issuer gave none."""
    commands: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """What became of a script. Source: Book 4, Annex A5."""

    identifier: bytes
    outcome: int
    """NOT_PERFORMED, FAILED or SUCCESSFUL."""
    failed_command: int = 0
    """From 1; 0 if none did, or it is not known which."""

    @property
    def encoded(self) -> bytes:
        """The five bytes of Issuer Script Results for this script."""
        number = min(self.failed_command, COMMAND_NUMBER_MAX)
        return bytes((self.outcome | number,)) + self.identifier


UNREADABLE = ScriptResult(bytes(4), NOT_PERFORMED)
"""Scripts that came and cannot be told apart."""


def parse_scripts(data: bytes) -> tuple[Script, ...]:
    """Return the scripts of an issuer's answer, in their order.

    data: templates 71 and 72, one after the other.
    Raises MalformedData if it is anything else, a script has no command,
    or an identifier is not 4 bytes.
    """
    scripts = []
    for node in tlv.decode(data):
        if node.tag not in (
            tags.TAG_71_ISSUER_SCRIPT_TEMPLATE_1,
            tags.TAG_72_ISSUER_SCRIPT_TEMPLATE_2,
        ):
            raise MalformedData(f"tag {node.tag:02X} among the issuer scripts")
        inside = node.children or ()
        identifier = tlv.find(inside, tags.TAG_9F18_ISSUER_SCRIPT_IDENTIFIER)
        commands = tlv.find_all(inside, tags.TAG_86_ISSUER_SCRIPT_COMMAND)
        if not commands or any(len(command) < COMMAND_BYTES_MIN for command in commands):
            raise MalformedData(f"issuer script {node.tag:02X} without a whole command")
        if identifier is not None and len(identifier) != 4:
            raise MalformedData(f"tag 9F18 of {len(identifier)} bytes")
        scripts.append(Script(node.tag, identifier or bytes(4), tuple(commands)))
    return tuple(scripts)


def deliver(script: Script) -> Kernel[ScriptResult]:
    """Send a script's commands to the card until one fails; return how it went.

    Source: Book 3, Annex E.
    """
    for number, command in enumerate(script.commands, start=1):
        reply = yield from exchange(command)
        if reply.status >> 8 not in SW1_GOES_ON:
            return ScriptResult(script.identifier, FAILED, number)
    return ScriptResult(script.identifier, SUCCESSFUL)
