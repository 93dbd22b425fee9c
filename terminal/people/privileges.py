"""What each role may do: one table, and the question it answers.

Nothing here knows a name or a secret. Who asks, and who approves, is found
out by terminal.people.register; terminal.people.guard puts the two together.
"""

from __future__ import annotations

import enum
from collections.abc import Collection


class Role(enum.StrEnum):
    """What somebody is employed to do. The register holds the value."""

    CASHIER = "cashier"
    SUPERVISOR = "supervisor"
    SERVICE = "service"
    AUDITOR = "auditor"


class Act(enum.StrEnum):
    """Something that only some may do. The audit log holds the value."""

    SELL = "sell"
    """Take a payment; print a receipt again."""
    KEY_CARD_IN = "key_card_in"
    """Type a card's number, for an order by mail or telephone."""
    GIVE_BACK = "give_back"
    """Void or refund."""
    EXCEED_REFUND_LIMIT = "exceed_refund_limit"
    RAISE_OFFLINE_LIMIT = "raise_offline_limit"
    SETTLE = "settle"
    """Close the day; accept a difference; settle what the bank refused late."""
    READ_TOTALS = "read_totals"
    MANAGE_PEOPLE = "manage_people"
    CONFIGURE = "configure"
    """Network, devices, updates."""
    MANAGE_KEYS = "manage_keys"
    """Enrol, load keys, wipe."""
    READ_AUDIT_LOG = "read_audit_log"
    EXPORT_AUDIT_LOG = "export_audit_log"


class Need(enum.Enum):
    """What it takes for a role to do an act."""

    NOTHING = "nothing"
    SUPERVISOR = "supervisor"
    """A supervisor says yes beside them."""
    SECOND_PERSON = "second_person"
    """A second person who may do it says yes too."""
    NEVER = "never"


# An absent pair is never allowed, with nobody's approval.
NEEDS: dict[tuple[Role, Act], Need] = {
    (Role.CASHIER, Act.SELL): Need.NOTHING,
    (Role.CASHIER, Act.KEY_CARD_IN): Need.SUPERVISOR,
    (Role.CASHIER, Act.GIVE_BACK): Need.SUPERVISOR,
    (Role.CASHIER, Act.SETTLE): Need.SUPERVISOR,
    (Role.CASHIER, Act.READ_TOTALS): Need.SUPERVISOR,
    (Role.SUPERVISOR, Act.SELL): Need.NOTHING,
    (Role.SUPERVISOR, Act.KEY_CARD_IN): Need.NOTHING,
    (Role.SUPERVISOR, Act.GIVE_BACK): Need.NOTHING,
    (Role.SUPERVISOR, Act.EXCEED_REFUND_LIMIT): Need.SECOND_PERSON,
    (Role.SUPERVISOR, Act.RAISE_OFFLINE_LIMIT): Need.SECOND_PERSON,
    (Role.SUPERVISOR, Act.SETTLE): Need.NOTHING,
    (Role.SUPERVISOR, Act.READ_TOTALS): Need.NOTHING,
    (Role.SUPERVISOR, Act.MANAGE_PEOPLE): Need.NOTHING,
    (Role.SUPERVISOR, Act.MANAGE_KEYS): Need.SECOND_PERSON,
    (Role.SUPERVISOR, Act.READ_AUDIT_LOG): Need.NOTHING,
    (Role.SERVICE, Act.CONFIGURE): Need.NOTHING,
    (Role.SERVICE, Act.MANAGE_KEYS): Need.SECOND_PERSON,
    (Role.AUDITOR, Act.READ_TOTALS): Need.NOTHING,
    (Role.AUDITOR, Act.READ_AUDIT_LOG): Need.NOTHING,
    (Role.AUDITOR, Act.EXPORT_AUDIT_LOG): Need.NOTHING,
}


def need_of(role: Role, act: Act) -> Need:
    """Return what it takes for this role to do this act."""
    return NEEDS.get((role, act), Need.NEVER)


def still_needed(role: Role, act: Act, approvers: Collection[Role]) -> Need:
    """Return what is still missing once these others have said yes.

    approvers: the roles of people who are somebody else than who acts.
    """
    need = need_of(role, act)
    match need:
        case Need.SUPERVISOR if Role.SUPERVISOR in approvers:
            return Need.NOTHING
        case Need.SECOND_PERSON if any(
            need_of(approver, act) in (Need.NOTHING, Need.SECOND_PERSON) for approver in approvers
        ):
            return Need.NOTHING
    return need
