"""The one check: may this person do this, and who must say yes beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from terminal.errors import ApprovalNeeded, NotAllowed
from terminal.people.audit import AuditLine, AuditLog
from terminal.people.privileges import Act, Need, still_needed
from terminal.people.register import Person

ACT_WORDS = {
    Act.SELL: "take payments",
    Act.KEY_CARD_IN: "type a card number",
    Act.GIVE_BACK: "give money back",
    Act.EXCEED_REFUND_LIMIT: "refund over the limit",
    Act.RAISE_OFFLINE_LIMIT: "raise the offline limit",
    Act.SETTLE: "close the day",
    Act.READ_TOTALS: "read the totals",
    Act.MANAGE_PEOPLE: "change who works here",
    Act.CONFIGURE: "change devices and network",
    Act.MANAGE_KEYS: "change the till's keys",
    Act.READ_AUDIT_LOG: "read the audit log",
    Act.EXPORT_AUDIT_LOG: "export the audit log",
}


@dataclass(frozen=True, slots=True)
class Authority:
    """Who asks for an act, and who stands beside them and says yes."""

    person: Person | None
    """Who is signed in; None if nobody is."""
    approvers: Sequence[Person] = ()
    """Each has just proved who they are."""
    face: str = ""
    """'screen', 'lines' or 'command'."""


class Guard:
    """Lets acts pass or not, and writes down which."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def check(self, act: Act, authority: Authority, about: str = "") -> Person:
        """Return who does it, if the act may be done.

        about: which payment, person or setting, for the audit log.
        Raises ApprovalNeeded if somebody else must say yes, else NotAllowed.
        """
        person = authority.person
        if person is None:
            self._note(act, authority, about, "nobody is signed in")
            raise NotAllowed(f"Sign in first: somebody must be there to {ACT_WORDS[act]}")
        if not person.is_ready:
            self._note(act, authority, about, "secret or one-time code to be set first")
            raise NotAllowed(f"{person.called} must first choose a secret and set up the codes")
        others = [
            other for other in authority.approvers if other.name != person.name and other.is_ready
        ]
        missing = still_needed(person.role, act, [other.role for other in others])
        self._note(act, authority, about, "" if missing is Need.NOTHING else missing.value)
        words = ACT_WORDS[act]
        match missing:
            case Need.NOTHING:
                return person
            case Need.SUPERVISOR:
                raise ApprovalNeeded(f"A supervisor must allow it: to {words}", act)
            case Need.SECOND_PERSON:
                raise ApprovalNeeded(f"It takes two persons to {words}", act)
        raise NotAllowed(f"A {person.role} may not {words}")

    def _note(self, act: Act, authority: Authority, about: str, missing: str) -> None:
        person = authority.person
        self._log.append(
            AuditLine(
                act.value,
                not missing,
                person.name if person else "",
                person.role.value if person else "",
                tuple(other.name for other in authority.approvers),
                authority.face,
                about,
                missing,
            )
        )
