"""What a simulated shop brings to its till: its panel, its people, its manners."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from terminal.bench import Bench, BenchPerson, Group, Offer
from terminal.errors import BenchRefused

if TYPE_CHECKING:
    from simulators.people import SimulatedPeople, SimulatedPerson
    from simulators.shop import SimulatedShop
    from terminal.people.register import Register
    from terminal.till import Till
    from terminal.view import View


class Panel(Bench):
    """The bench panel of a simulated shop."""

    def __init__(
        self,
        shop: SimulatedShop,
        people: SimulatedPeople,
        wall_ms: Callable[[], int],
        *,
        takes_pin: bool = False,
    ) -> None:
        """takes_pin: the PIN pad is the one on the till's screen."""
        self._shop = shop
        self._people = people
        self._wall_ms = wall_ms
        self._takes_pin = takes_pin

    def offers(self) -> Sequence[Offer]:
        """List what can be presented or done."""
        return [
            Offer(
                deed.id,
                Group(deed.group.value),
                deed.title,
                deed.title_zh,
                deed.expect,
                deed.expect_zh,
                deed.is_on,
            )
            for deed in self._shop.deeds()
        ]

    @property
    def takes_pin(self) -> bool:
        """Whether the PIN pad is the one on the till's screen."""
        return self._takes_pin

    def press(self, key: str) -> None:
        """Press a key of the PIN pad on the screen. Raises BenchRefused."""
        from simulators.card.errors import CardSimulatorError

        try:
            self._shop.pin_pad.press(key)
        except CardSimulatorError as unusable:
            raise BenchRefused(str(unusable)) from unusable

    def do(self, offer: str) -> str:
        """Present or do it. Raises BenchRefused."""
        from simulators.deeds import NoSuchDeed

        try:
            return self._shop.do(offer)
        except NoSuchDeed as refusal:
            raise BenchRefused(str(refusal)) from refusal

    def people(self) -> Sequence[BenchPerson]:
        """List who works in the simulated shop, with what they would type now."""
        now_s = self._wall_ms() // 1000
        return [
            BenchPerson(person.name, person.role, person.secret, person.code(now_s))
            for person in self._people.all()
        ]


def when_over(leave: Callable[[], None]) -> Callable[[View], None]:
    """Return an observer that calls this once for each payment that has a result.

    Else a phone held up for one sale would be read again by the next.
    """
    from terminal.view import Stage

    seen = ""

    def observe(view: View) -> None:
        nonlocal seen
        if view.stage is Stage.RESULT and view.payment is not None and view.payment.id != seen:
            seen = view.payment.id
            leave()

    return observe


def picture_of_shown_code(till: Till) -> bytes | None:
    """Return the code on the till's customer screen as a PNG; None if there is none."""
    from terminal.pictures.code_drawing import png_bytes, qr_modules

    code = till.view().code
    return None if code is None else png_bytes(qr_modules(code.text))


def take_in(register: Register, person: SimulatedPerson) -> None:
    """Take one of a simulated shop's people in, with their app."""
    from terminal.people.privileges import Role

    register.add(person.name, person.called, Role(person.role), person.secret, by=person.name)
    if person.code_key:
        register.set_code_key(person.name, bytes.fromhex(person.code_key), by=person.name)
