"""The people at one face of the till: who is signed in, and who says yes beside them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from terminal.errors import NotAllowed
from terminal.people import one_time
from terminal.people.audit import AuditLog
from terminal.people.guard import Authority, Guard
from terminal.people.privileges import Act, Role
from terminal.people.register import Person, Register
from terminal.people.secrets import BENCH_COST, STANDARD_COST, is_hard_to_guess
from terminal.people.sign_in import SignIn
from terminal.people.store import PeopleStore
from terminal.seams import Clock, Randomness

EASY_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike."""


class Staff:
    """Opens the register when it is first needed. Signing in takes a fifth of a second."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        random: Randomness,
        boot: str,
        *,
        face: str,
        is_bench: bool = False,
    ) -> None:
        """folder: the till's own; its key folder is below it.

        boot: names this switching-on of the machine. face: 'screen', 'lines'
        or 'command', for the audit log. is_bench: a simulated shop's people
        may be taken at their word.
        """
        self._folder = folder
        self._clock = clock
        self._random = random
        self._boot = boot
        self._face = face
        self._is_bench = is_bench
        self._approvers: list[Person] = []
        self._proposed: bytes | None = None
        self.signed_in: Person | None = None

    @cached_property
    def _store(self) -> PeopleStore:
        return PeopleStore(self._folder)

    @cached_property
    def log(self) -> AuditLog:
        """Who did what. Raises RegisterUnusable."""
        return AuditLog(self._store, self._clock)

    @cached_property
    def register(self) -> Register:
        """Who works here. Raises RegisterUnusable."""
        cost = BENCH_COST if self._is_bench else STANDARD_COST
        return Register(self._store, self.log, self._folder / "keys", self._random, cost)

    @cached_property
    def _door(self) -> SignIn:
        return SignIn(self.register, self._store, self.log, self._clock, self._boot)

    @cached_property
    def _guard(self) -> Guard:
        return Guard(self.log)

    def sign_in(self, name: str, secret: str, code: str = "") -> Person:
        """Let somebody to the till in place of who was there.

        code: the one-time code, where they have an app.
        Raises SignInRefused, SignInLocked.
        """
        self.signed_in = self._door(name, secret, code, face=self._face)
        self._approvers.clear()
        return self.signed_in

    def let_in(self, name: str) -> Person:
        """Let one of a simulated shop's people to the till at their word.

        Raises UnknownPerson, NotAllowed in a live shop.
        """
        self.signed_in = self._at_their_word(name)
        return self.signed_in

    def sign_out(self) -> None:
        """Leave the till to nobody. What is open goes on."""
        self.signed_in = None
        self._approvers.clear()

    def approve(self, name: str, secret: str, code: str = "") -> Person:
        """Have somebody say yes to what is asked for next, and to that only.

        Raises SignInRefused, SignInLocked, NotAllowed for who asks.
        """
        return self._approved_by(self._door(name, secret, code, face=self._face))

    def vouch(self, name: str) -> Person:
        """Have one of a simulated shop's people say yes, at their word.

        Raises UnknownPerson, NotAllowed for who asks and in a live shop.
        """
        return self._approved_by(self._at_their_word(name))

    def _at_their_word(self, name: str) -> Person:
        if not self._is_bench:
            raise NotAllowed("In a live shop everybody proves who they are")
        return self.register.person(name)

    def _approved_by(self, approver: Person) -> Person:
        if self.signed_in is not None and approver.name == self.signed_in.name:
            raise NotAllowed("Somebody else must say yes, not who asks")
        self._approvers.append(approver)
        return approver

    def check(self, act: Act, about: str = "") -> Person:
        """Return who does it, if it may be done; approvals are used up either way.

        about: which payment, person or setting.
        Raises ApprovalNeeded if somebody else must say yes, else NotAllowed.
        """
        approvers, self._approvers = self._approvers, []
        return self._guard.check(act, Authority(self.signed_in, approvers, self._face), about)

    # --- one's own secret and app ---------------------------------------------

    @property
    def needs_first_supervisor(self) -> bool:
        """True in a till that nobody works at yet."""
        return self.register.is_empty

    def take_in_first(self, name: str, called: str, secret: str) -> Person:
        """Take the first supervisor in, who chooses the secret; she is signed in then.

        Raises NotAllowed if somebody works here already, SecretRefused.
        """
        if not self.needs_first_supervisor:
            raise NotAllowed("This till has its first supervisor already")
        self.signed_in = self.register.add(name, called, Role.SUPERVISOR, secret, by=name)
        return self.signed_in

    def choose_secret(self, secret: str) -> None:
        """Set the secret of who is signed in. Raises NotAllowed, SecretRefused."""
        person = self._present()
        self.register.set_secret(person.name, secret, by=person.name)
        self.signed_in = self.register.person(person.name)

    def propose_app(self, shop: str) -> str:
        """Return what the app of who is signed in scans; confirm_app() then keeps it.

        Raises NotAllowed if nobody is signed in.
        """
        person = self._present()
        self._proposed = self._random(one_time.SECRET_BYTES)
        return one_time.provisioning_uri(self._proposed, person.name, shop)

    def confirm_app(self, code: str) -> None:
        """Keep the app that was proposed, as this code shows that it works.

        Raises NotAllowed if none was proposed or the code is wrong.
        """
        person = self._present()
        now_s = self._clock.wall_ms() // 1000
        proposed = self._proposed
        step = proposed and one_time.accepted_step(proposed, code, now_s, last_step=-1)
        if not proposed or not step:
            raise NotAllowed("This is not the code that the app shows now: try the next one")
        self.register.set_code_key(person.name, proposed, person.name, step)
        self._proposed = None
        self.signed_in = self.register.person(person.name)

    def _present(self) -> Person:
        if self.signed_in is None:
            raise NotAllowed("Sign in first")
        return self.signed_in

    # --- other people ---------------------------------------------------------

    def people(self) -> Sequence[Person]:
        """Return who works here. Raises NotAllowed."""
        self.check(Act.MANAGE_PEOPLE)
        return self.register.people()

    def take_in(self, name: str, called: str, role: Role) -> str:
        """Take somebody in; return the secret for their first sign-in, told this once.

        Raises NotAllowed.
        """
        by = self.check(Act.MANAGE_PEOPLE, name)
        secret = self._first_secret(role)
        self.register.add(name, called, role, secret, by=by.name)
        return secret

    def reset(self, name: str) -> str:
        """Give somebody a first secret again and take their app away; return the secret.

        Raises NotAllowed, UnknownPerson.
        """
        by = self.check(Act.MANAGE_PEOPLE, name)
        person = self.register.person(name)
        if person.name == by.name:
            raise NotAllowed("Nobody resets themselves: another supervisor does")
        secret = self._first_secret(person.role)
        self.register.set_secret(name, secret, by=by.name)
        if person.has_code:
            self.register.set_code_key(name, None, by.name)
        return secret

    def let_go(self, name: str) -> None:
        """End somebody's work here. Raises NotAllowed, UnknownPerson."""
        by = self.check(Act.MANAGE_PEOPLE, name)
        self.register.remove(name, by=by.name)

    def _first_secret(self, role: Role) -> str:
        """Return digits for a cashier's keys, letters and digits for the others."""
        alphabet = "0123456789" if role is Role.CASHIER else EASY_LETTERS
        length = 6 if role is Role.CASHIER else 12
        while True:
            # 256 is no multiple of the alphabet: what is left over is drawn again.
            fair = 256 - 256 % len(alphabet)
            drawn = [byte for byte in self._random(4 * length) if byte < fair][:length]
            secret = "".join(alphabet[byte % len(alphabet)] for byte in drawn)
            if len(secret) == length and is_hard_to_guess(secret):
                return secret

    def close(self) -> None:
        """Let the register go. Safe to call twice."""
        if "_store" in self.__dict__:
            self._store.close()
