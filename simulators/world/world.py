"""One world: put together from a seed, played to its end, and judged."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import config
from config.schema import Parameters, Settings
from simulators.card.keys import CardKeys
from simulators.wallet import Wallet, profile
from simulators.world.agenda import Agenda
from simulators.world.bank import WalletDoor, WorldBank, peer_of
from simulators.world.broken import RuleBroken
from simulators.world.history import (
    DAY_S,
    BadWeather,
    BankRestarts,
    ClockJumps,
    Deed,
    DiskFails,
    GiveBack,
    Hurry,
    KeysRotate,
    Leave,
    LosePower,
    PaperOut,
    ParametersChange,
    Sale,
)
from simulators.world.log import Log
from simulators.world.people import People
from simulators.world.rules import Rules, find_clear
from simulators.world.till import WorldTill
from simulators.world.works import (
    INSERTED,
    TAPPED,
    WALLETS,
    Works,
    open_card,
    till_folder,
    wallet_folder,
)
from terminal.events import CheckWanted, Entry, SyncWanted
from terminal.view import PaymentView, View

CLOSES_S: Final = 700.0
"""When a day is closed, after its opening."""
SETTLE_S: Final = 7_200.0
"""How long everything may take to come to its end, once all is mended."""
_OFFLINE: Final = """
[offline]
enabled = true
count_max = {}
age_max_h = 24
currencies.CNY = {{ amount_max_minor = 9_000, sum_max_minor = 40_000 }}
"""
ROUND_S: Final = 60.0
WALLET_PROFILES: Final = {"alipay": "alipay-qr", "alipay-confirms": "alipay-confirms"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a world came to."""

    digest: str
    """Over all that happened, before sealing."""
    lines: int
    """How much happened."""
    payments: int
    broken: str = ""
    """The rule that was broken; '' if none was."""
    detail: str = ""


class World:
    """Tills, their people, a bank, and what befalls them."""

    def __init__(
        self,
        works: Works,
        home: Path,
        seed: int,
        *,
        days: int,
        tills: int,
        keeps_log: bool = False,
    ) -> None:
        """home: a folder that does not exist yet; in memory, it is faster."""
        self.agenda = Agenda()
        self.log = Log(self.agenda, home, keeps=keeps_log)
        self._home = home
        self._days = days
        self._names = [f"till-{number}" for number in range(1, tills + 1)]
        place = works.lay_out(home, self._names)
        self._load = partial(_settings, works.ca_keys)
        self._settings = self._load(None)
        self._bank = WorldBank(place, self.agenda, seed)
        self.rules = Rules(self._bank)
        self.tills = [self._till(name, seed) for name in self._names]
        cards = {name: open_card(home, name) for name in (*TAPPED, *INSERTED)}
        wallets = {name: self._wallet(name) for name in WALLETS}
        self._payments = 0
        self._people = [People(till, self.agenda, cards, wallets) for till in self.tills]

    def _till(self, name: str, seed: int) -> WorldTill:
        folder = till_folder(self._home, name)
        return WorldTill(
            name,
            folder,
            self._settings,
            self.agenda,
            self._bank,
            self._load,
            self.log,
            self,
            seed,
        )

    def _wallet(self, name: str) -> Wallet:
        peer = peer_of(wallet_folder(self._home, name) / "tls.pem")
        return Wallet(profile(WALLET_PROFILES[name]), WalletDoor(self._bank, peer))

    # --- playing ------------------------------------------------------------------

    def play(self, history: Sequence[Deed]) -> Verdict:
        """Let a history happen, mend everything, and judge what is left."""
        broken = detail = ""
        try:
            self._play(history)
        except RuleBroken as seen:
            broken, detail = seen.rule, seen.detail
        except Exception:
            # A world is there to find what nobody has thought of.
            broken, detail = "crash", traceback.format_exc()
        return Verdict(self.log.digest, self.log.count, self._payments, broken, detail)

    def _play(self, history: Sequence[Deed]) -> None:
        for day in range(self._days):
            for till, people in zip(self.tills, self._people, strict=True):
                self.agenda.at_s(day * DAY_S, till.switch_on)
                self.agenda.at_s(day * DAY_S + CLOSES_S, people.close_day)
        for deed in history:
            self.agenda.at_s(deed.at_s, partial(self._befall, deed))
        self._until(self._days * DAY_S)
        self._mend_all()
        self._bring_to_its_end()
        self.rules.check_end(self.tills, self._card_counters())
        self._payments = sum(till.journal.next_number() - 1 for till in self.tills)
        for till in self.tills:
            till.switch_off()
        texts = [slip.text for till in self.tills for slip in till.printer.slips]
        find_clear([till.folder for till in self.tills], [*texts, *self.log.lines])

    def _until(self, moment_s: float) -> None:
        """Let everything happen until then."""
        is_over: list[bool] = []
        self.agenda.at_s(moment_s, lambda: is_over.append(True))
        while not is_over:
            self.agenda.step()

    def _bring_to_its_end(self) -> None:
        """Let the tills finish, somebody settle what only a person can, and the day close."""
        end_s = self.agenda.now_s + SETTLE_S
        while self.agenda.now_s < end_s:
            self._until(self.agenda.now_s + ROUND_S)
            for till, people in zip(self.tills, self._people, strict=True):
                till.switch_on()
                people.settle_inbox()
                people.close_day()
            if all(map(_is_quiet, self.tills)):
                return

    def _card_counters(self) -> Mapping[str, int]:
        keys = CardKeys(self._home)
        return {f"card/{name}": keys.counter(name).value() for name in (*TAPPED, *INSERTED)}

    # --- what befalls it ------------------------------------------------------------

    def _befall(self, deed: Deed) -> None:
        self.log.event("world", deed)
        till, people = self.tills[deed.till], self._people[deed.till]
        match deed:
            case Sale():
                people.sell(deed)
            case GiveBack():
                people.give_back(deed)
            case Hurry():
                till.take(CheckWanted())
                till.take(SyncWanted())
            case Leave():
                people.leave()
            case LosePower(operations=None):
                till.lose_power(deed.for_s)
            case LosePower():
                till.doom(deed.operations or 0, deed.for_s)
            case BadWeather():
                till.network.weather = deed.weather
                self.agenda.after(deed.for_s, till.network.clear_up)
            case DiskFails():
                till.fail_disk(deed.operations, deed.fault)
                self.agenda.after(deed.for_s, till.mend_disk)
            case ClockJumps():
                till.clock.ahead_ms += deed.by_s * 1000
                self.agenda.after(deed.for_s, till.clock.put_right)
            case BankRestarts():
                self._bank.go_down()
                self.agenda.after(deed.for_s, self._bank.come_up)
            case KeysRotate():
                till.rotate_keys()
            case ParametersChange():
                self._bank.set_parameters(_OFFLINE.format(deed.count_max))
            case PaperOut():
                till.printer.has_paper = False
                self.agenda.after(deed.for_s, till.printer.refill)

    def _mend_all(self) -> None:
        self._bank.come_up()
        for till in self.tills:
            till.network.clear_up()
            till.mend_disk()
            till.undoom()
            till.clock.put_right()
            till.printer.refill()
            till.switch_on()

    # --- looking on -----------------------------------------------------------------

    def moved(self, till: WorldTill, entries: Sequence[Entry]) -> None:
        """These moves are on disk."""
        self.rules.moved(till, entries)

    def started(self, till: WorldTill, length: int) -> None:
        """A till came up with so many moves in its journal."""
        self.rules.started(till, length)

    def shows(self, till: WorldTill, view: View) -> None:
        """The till shows this."""
        with till.disk.looked_at():
            self.rules.shows(till, view)
        self._people[self.tills.index(till)].look(view)

    def sends(self, till: WorldTill, payment: PaymentView) -> None:
        """The till asks the bank to take or to give back money."""
        with till.disk.looked_at():
            self.rules.sends(till, payment)

    def printed(self, till: WorldTill) -> None:
        """A slip came out."""
        with till.disk.looked_at():
            self.rules.printed(till)

    def close(self) -> None:
        """Let all files go."""
        for till in self.tills:
            till.close()
        self._bank.go_down()


def _settings(ca_keys: Path, parameters: Parameters | None) -> Settings:
    """Return the bench shop's settings, without a PIN pad, and with what the bank sets."""
    overrides = {"devices.pin_pads": [], "bank.url": "https://localhost"}
    return config.load_settings(overrides=overrides, more_ca_keys=[ca_keys], parameters=parameters)


def _is_quiet(till: WorldTill) -> bool:
    """True if nothing is open at a till, and every day is closed."""
    if not till.is_on:
        return False
    view, journal = till.view, till.journal
    return (
        not journal.unfinished()
        and not journal.unsettled_batches()
        and not journal.batch_payments(view.batch)
    )
