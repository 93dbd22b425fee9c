"""Who works at the till: signing in, saying yes, choosing a secret, coming and going."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from terminal.errors import ApprovalNeeded, SecretRefused, SignInRefused
from terminal.people.one_time import key_of_uri
from terminal.people.privileges import Role
from terminal.people.register import Person
from ui.desk import Desk
from ui.locale import mark
from ui.refusals import refusal_text
from ui.screens.code import code_size, paint_code
from ui.screens.page import Key, Page
from ui.widgets.canvas import Canvas
from ui.widgets.chrome import Action
from ui.widgets.form import Field, Form

ROLE_WORDS = {
    Role.CASHIER: mark("cashier"),
    Role.SUPERVISOR: mark("supervisor"),
    Role.SERVICE: mark("service"),
    Role.AUDITOR: mark("auditor"),
}


class FormPage(Page):
    """A title, a few words, a form; Enter on the last field submits."""

    title = ""
    submit_label = ""
    can_close = True

    def __init__(self, desk: Desk, fields: Sequence[Field]) -> None:
        super().__init__(desk)
        self.form = Form(fields)

    def takes_text(self) -> bool:
        """Letters are typed here."""
        return True

    def actions(self) -> Sequence[Action]:
        """Submit, move, and go back where there is a way back."""
        actions = [
            Action("Enter", self.submit_label, is_main=True),
            Action("Tab", mark("Next field")),
        ]
        if self.can_close:
            actions.append(Action("Esc", mark("Back")))
        if self.desk.till.bench:
            actions.append(Action("F12", mark("Fill in (simulation)")))
        return actions

    def press(self, key: Key) -> bool:
        """Type, submit, or go back."""
        if key.name == "enter":
            if self.form.is_at_end:
                self.submit()
            else:
                self.form.go_on()
        elif key.name == "escape" and self.can_close:
            self.close_page()
        elif key.name == "f12" and self.desk.till.bench:
            self.fill_in()
        else:
            return self.form.press(key)
        return True

    def submit(self) -> None:
        """Do what the form is for. Raises TillError."""

    def fill_in(self) -> None:
        """Type what one of a simulated shop's people would."""

    def intro(self) -> str:
        """Return the words above the form, translated."""
        return ""

    def paint(self, canvas: Canvas) -> None:
        """Draw title, words and form."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        words = self.desk.words
        canvas.put(3, 1, words(self.title), "muted", bold=True)
        row = canvas.put_wrapped(3, 3, canvas.width - 6, 3, self.intro(), bold=True)
        self.paint_below(canvas, self.form.paint(canvas, 3, row + 1, words))

    def paint_below(self, canvas: Canvas, row: int) -> None:
        """Draw what stands below the form."""


def proof_fields() -> tuple[Field, ...]:
    """Return name, secret and one-time code."""
    return (
        Field("name", mark("Name")),
        Field("secret", mark("Secret"), is_secret=True),
        Field("code", mark("One-time code, if any"), is_secret=True),
    )


class ProofPage(FormPage):
    """Somebody proves who they are."""

    role_to_fill_in = Role.CASHIER

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, proof_fields())

    def prove(self, by: Callable[[str, str, str], object]) -> None:
        """Hand the proof over; a wrong one leaves only the name standing. Raises TillError."""
        texts = self.form.texts
        try:
            by(texts["name"], texts["secret"], texts["code"])
        except SignInRefused:
            self.form.clear_secrets()
            raise

    def fill_in(self) -> None:
        """Type what the first simulated person of the right role would."""
        bench = self.desk.till.bench
        for person in bench.people() if bench else ():
            if person.role == self.role_to_fill_in:
                self.form.fill((person.name, person.secret, person.code))
                return


class SignInPage(ProofPage):
    """Nobody is at the till. What is open goes on behind it."""

    name = "sign-in"
    title = mark("SIGN IN")
    submit_label = mark("Sign in")
    can_close = False

    def submit(self) -> None:
        """Let them in."""
        self.prove(self.desk.till.staff.sign_in)

    def intro(self) -> str:
        """Say what goes on meanwhile."""
        if not self.desk.view.open_count:
            return ""
        text = self.desk.words("Payments that are still open: {count}. They are safe.")
        return text.format(count=self.desk.view.open_count)


class ApprovalPage(ProofPage):
    """Somebody else says yes; then what was asked for is asked for again."""

    name = "approval"
    title = mark("SOMEBODY ELSE MUST ALLOW IT")
    submit_label = mark("Allow it")
    role_to_fill_in = Role.SUPERVISOR

    def __init__(self, desk: Desk, error: ApprovalNeeded, again: Callable[[], None]) -> None:
        """again: asks for the same once more. Raises TillError."""
        super().__init__(desk)
        self._error = error
        self._again = again

    def intro(self) -> str:
        """Say what is to be allowed."""
        return refusal_text(str(self._error), self.desk.words)

    def submit(self) -> None:
        """Take the yes, and go on."""
        self.prove(self.desk.till.staff.approve)
        self.close_page()
        self._again()


class FirstSupervisorPage(FormPage):
    """The first start: somebody must be responsible."""

    name = "first-supervisor"
    title = mark("FIRST START")
    submit_label = mark("Go on")
    can_close = False

    def __init__(self, desk: Desk) -> None:
        fields = (
            Field("name", mark("Name to sign in with")),
            Field("called", mark("Name on receipts")),
            Field("secret", mark("Secret, 8 or more"), is_secret=True),
            Field("again", mark("The same again"), is_secret=True),
        )
        super().__init__(desk, fields)

    def intro(self) -> str:
        """Say why."""
        return self.desk.words("Nobody works at this till yet. Who is its first supervisor?")

    def submit(self) -> None:
        """Take her in."""
        texts = self.form.texts
        _check_same(self.form)
        self.desk.till.staff.take_in_first(texts["name"], texts["called"], texts["secret"])


class OwnSecretPage(FormPage):
    """A secret that another gave is replaced."""

    name = "own-secret"
    title = mark("YOUR OWN SECRET")
    submit_label = mark("Keep it")

    def __init__(self, desk: Desk, *, can_close: bool) -> None:
        """can_close: False while the given secret must be replaced."""
        fields = (
            Field("secret", mark("New secret"), is_secret=True),
            Field("again", mark("The same again"), is_secret=True),
        )
        super().__init__(desk, fields)
        self.can_close = can_close

    def intro(self) -> str:
        """Say why."""
        return self.desk.words("Choose a secret that nobody else knows.")

    def submit(self) -> None:
        """Keep it."""
        _check_same(self.form)
        self.desk.till.staff.choose_secret(self.form.texts["secret"])
        if self.can_close:
            self.close_page()


class OwnAppPage(FormPage):
    """An authenticator app is set up: it shows that it works before it counts."""

    name = "own-app"
    title = mark("YOUR ONE-TIME CODES")
    submit_label = mark("Keep it")
    can_close = False

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, (Field("code", mark("The code it shows")),))
        self._uri = desk.till.staff.propose_app(desk.shop.name)

    @property
    def key(self) -> str:
        """What is typed into an app that cannot scan, in groups of four."""
        return key_of_uri(self._uri)

    def intro(self) -> str:
        """Say what to do."""
        text = self.desk.words("Scan this with an authenticator app, or type its key: {key}")
        return text.format(key=self.key)

    def submit(self) -> None:
        """Keep the app."""
        self.desk.till.staff.confirm_app(self.form.texts["code"])

    def paint_below(self, canvas: Canvas, row: int) -> None:
        """Draw the code to scan where it fits; the key above serves as well."""
        columns, lines = code_size(self._uri)
        if self.desk.has_blocks and row + lines <= canvas.height and columns <= canvas.width - 6:
            paint_code(canvas, 3, row, self._uri)


class PeoplePage(Page):
    """Everybody who works here."""

    name = "people"

    def __init__(self, desk: Desk) -> None:
        """Raises NotAllowed for who may not see it."""
        super().__init__(desk)
        self._people = desk.till.staff.people()
        self._cursor = 0
        self._told = ""

    def actions(self) -> Sequence[Action]:
        """Come, change, go."""
        return (
            Action("A", mark("Add somebody"), is_main=True),
            Action("N", mark("New first secret")),
            Action("D", mark("Let go")),
            Action("Esc", mark("Back")),
        )

    def press(self, key: Key) -> bool:
        """Do it to whom the cursor is on."""
        staff, chosen = self.desk.till.staff, self._chosen
        if key.name == "escape":
            self.close_page()
        elif key.name in ("down", "up"):
            step = 1 if key.name == "down" else -1
            self._cursor = (self._cursor + step) % max(1, len(self._people))
        elif key.letter == "a":
            self.open_page(NewPersonPage(self.desk, self._tell_secret))
        elif key.letter == "n" and chosen:
            self._tell_secret(chosen.name, staff.reset(chosen.name))
        elif key.letter == "d" and chosen:
            staff.let_go(chosen.name)
            self._look_again()
        else:
            return False
        return True

    @property
    def _chosen(self) -> Person | None:
        return self._people[self._cursor] if self._cursor < len(self._people) else None

    def _look_again(self) -> None:
        self._people = self.desk.till.staff.people()
        self._cursor = min(self._cursor, len(self._people) - 1)

    def _tell_secret(self, name: str, secret: str) -> None:
        text = self.desk.words("{name} signs in with {secret}, and then chooses another")
        self._told = text.format(name=name, secret=secret)
        self._look_again()

    def paint(self, canvas: Canvas) -> None:
        """Draw the list, and a first secret as long as this page stands."""
        canvas.fill(0, 0, canvas.width, canvas.height, "sheet")
        words = self.desk.words
        canvas.put(3, 1, words("PEOPLE"), "muted", bold=True)
        rows = canvas.height - 6
        first = max(0, self._cursor - rows + 1)
        for row, person in enumerate(self._people[first : first + rows], start=3):
            is_current = person is self._chosen
            if is_current:
                canvas.fill(3, row, canvas.width - 6, 1, "raise")
            canvas.put(4, row, person.name, bold=is_current, end=22)
            canvas.put(23, row, person.called, end=45)
            canvas.put(46, row, words(ROLE_WORDS[person.role]), "muted")
            if not person.is_ready:
                canvas.put_right(canvas.width - 4, row, words("not yet signed in"), "soft-ask")
        if self._told:
            canvas.put(3, canvas.height - 2, self._told, "key", bold=True)


class NewPersonPage(FormPage):
    """Somebody comes."""

    name = "new-person"
    title = mark("SOMEBODY NEW")
    submit_label = mark("Add")

    def __init__(self, desk: Desk, tell: Callable[[str, str], None]) -> None:
        """tell: shows a name and its first secret."""
        fields = (
            Field("name", mark("Name to sign in with")),
            Field("called", mark("Name on receipts")),
        )
        super().__init__(desk, fields)
        self._tell = tell
        self._role = Role.CASHIER

    def actions(self) -> Sequence[Action]:
        """As any form, and the role."""
        return (*super().actions()[:3], Action("F8", mark("Role")))

    def press(self, key: Key) -> bool:
        """F8 changes the role."""
        if key.name == "f8":
            roles = list(Role)
            self._role = roles[(roles.index(self._role) + 1) % len(roles)]
            return True
        return super().press(key)

    def intro(self) -> str:
        """Say the role."""
        role = self.desk.words(ROLE_WORDS[self._role])
        return self.desk.words("Role: {role}").format(role=role)

    def submit(self) -> None:
        """Take them in."""
        texts = self.form.texts
        secret = self.desk.till.staff.take_in(texts["name"], texts["called"], self._role)
        self.close_page()
        self._tell(texts["name"], secret)


def gate_for(desk: Desk) -> Page | None:
    """Return the screen that stands before all others; None if somebody is at the till."""
    staff = desk.till.staff
    person = staff.signed_in
    if person is None:
        return FirstSupervisorPage(desk) if staff.needs_first_supervisor else SignInPage(desk)
    if person.must_change:
        return OwnSecretPage(desk, can_close=False)
    if person.lacks_code:
        return OwnAppPage(desk)
    return None


def _check_same(form: Form) -> None:
    if form.texts["secret"] != form.texts["again"]:
        form.clear_secrets()
        raise SecretRefused("The two secrets are not the same: type them again")
