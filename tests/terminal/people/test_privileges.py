"""Every cell of role and act, written out apart from the table in the product."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from terminal.errors import ApprovalNeeded, NotAllowed
from terminal.people.guard import Authority
from terminal.people.privileges import Act, Need, Role, need_of, still_needed
from terminal.people.register import Person

# Columns: cashier, supervisor, service, auditor. y: may; s: a supervisor says
# yes; 2: a second person does; -: never.
CELLS = {
    Act.SELL: "yy--",
    Act.KEY_CARD_IN: "sy--",
    Act.GIVE_BACK: "sy--",
    Act.EXCEED_REFUND_LIMIT: "-2--",
    Act.RAISE_OFFLINE_LIMIT: "-2--",
    Act.SETTLE: "sy--",
    Act.READ_TOTALS: "sy-y",
    Act.MANAGE_PEOPLE: "-y--",
    Act.CONFIGURE: "--y-",
    Act.MANAGE_KEYS: "-22-",
    Act.READ_AUDIT_LOG: "-y-y",
    Act.EXPORT_AUDIT_LOG: "---y",
}
ROLES = (Role.CASHIER, Role.SUPERVISOR, Role.SERVICE, Role.AUDITOR)
NEED = {"y": Need.NOTHING, "s": Need.SUPERVISOR, "2": Need.SECOND_PERSON, "-": Need.NEVER}
ALL_CELLS = [(role, act) for act in Act for role in Role]


def cell(role: Role, act: Act) -> str:
    return CELLS[act][ROLES.index(role)]


@pytest.mark.parametrize(("role", "act"), ALL_CELLS)
def test_each_role_may_do_what_the_table_says(role: Role, act: Act) -> None:
    assert need_of(role, act) is NEED[cell(role, act)]


@pytest.mark.parametrize(("role", "act"), ALL_CELLS)
def test_nobody_but_the_right_approver_helps(role: Role, act: Act) -> None:
    """Every set of one or two approvers, for every cell."""
    helpers = [[one] for one in Role] + [list(two) for two in itertools.product(Role, Role)]
    for approvers in helpers:
        enough = {
            "y": True,
            "s": Role.SUPERVISOR in approvers,
            "2": any(cell(approver, act) in "y2" for approver in approvers),
            "-": False,
        }[cell(role, act)]
        assert (still_needed(role, act, approvers) is Need.NOTHING) == enough, approvers


PEOPLE = {role: Person(role.value, role.value, role, has_code=True) for role in Role}


@pytest.mark.parametrize(("role", "act"), ALL_CELLS)
@pytest.mark.parametrize("face", ["screen", "lines", "command"])
def test_the_guard_lets_pass_and_writes_down_every_cell(
    staff: Any, role: Role, act: Act, face: str
) -> None:
    guard, log = staff.guard, staff.log
    authority = Authority(PEOPLE[role], face=face)
    match cell(role, act):
        case "y":
            guard.check(act, authority, "0007")
        case "-":
            with pytest.raises(NotAllowed, match=f"A {role} may not"):
                guard.check(act, authority, "0007")
        case _:
            with pytest.raises(ApprovalNeeded) as refused:
                guard.check(act, authority, "0007")
            assert refused.value.act == act
    ((_, line),) = log.lines()
    assert (line.act, line.role, line.face, line.about) == (act.value, role.value, face, "0007")
    assert line.is_granted == (cell(role, act) == "y")


def test_nobody_approves_their_own_wish(staff: Any) -> None:
    supervisor = PEOPLE[Role.SUPERVISOR]
    with pytest.raises(ApprovalNeeded, match="two persons"):
        staff.guard.check(Act.MANAGE_KEYS, Authority(supervisor, approvers=[supervisor]))


def test_an_approval_is_written_down_with_its_giver(staff: Any) -> None:
    authority = Authority(PEOPLE[Role.CASHIER], [PEOPLE[Role.SUPERVISOR]], "screen")
    staff.guard.check(Act.GIVE_BACK, authority, "0012")
    ((_, line),) = staff.log.lines()
    assert (line.is_granted, line.approved_by) == (True, ("supervisor",))


def test_somebody_with_a_given_secret_can_neither_act_nor_approve(staff: Any) -> None:
    fresh = Person("new", "new", Role.SUPERVISOR, must_change=True, has_code=True)
    no_app = Person("old", "old", Role.SUPERVISOR)
    guard = staff.guard
    for person in (fresh, no_app):
        with pytest.raises(NotAllowed, match="must first choose"):
            guard.check(Act.GIVE_BACK, Authority(person))
        with pytest.raises(ApprovalNeeded):
            guard.check(Act.GIVE_BACK, Authority(PEOPLE[Role.CASHIER], [person]))


def test_nobody_signed_in_does_nothing(staff: Any) -> None:
    with pytest.raises(NotAllowed, match="Sign in first"):
        staff.guard.check(Act.SELL, Authority(None))
    ((_, line),) = staff.log.lines()
    assert not line.is_granted
