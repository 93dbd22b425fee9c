"""One till of a world: the product's core, journal and link on a disk that can fail."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, Literal, Protocol

import apsw

from config.schema import Settings
from simulators.disk import FATES, Disk, Fault, Kind, Platter
from simulators.world.agenda import Agenda, TillClock
from simulators.world.bank import WorldBank, peer_of
from simulators.world.broken import RuleBroken
from simulators.world.chance import chance
from simulators.world.counter import Counter
from simulators.world.instant import InstantClient
from simulators.world.log import Log
from simulators.world.paper import WorldPrinter
from simulators.world.wire import AUTHORITY, Link, Network, Words, deliver
from terminal.bank.errands import Errands
from terminal.bank.exchange import Exchange
from terminal.batch import records
from terminal.batch.events import RecordBatch
from terminal.core.step import Core
from terminal.errors import (
    BankLinkError,
    EnrolmentRefused,
    JournalCorrupt,
    JournalUnavailable,
    ParametersRefused,
    TillError,
    UntrustedAnswer,
)
from terminal.events import Entry, InboxEvent, TimerRang
from terminal.executor import Executor
from terminal.journal import MARK, Journal
from terminal.linking import Keys
from terminal.news import bulletins
from terminal.news.events import (
    AdoptTerms,
    BulletinsCame,
    FetchBulletins,
    FetchTerms,
    NewsWish,
    TermsNotHad,
    TermsReady,
)
from terminal.news.parameters import NEWEST, Load, ParameterStore
from terminal.news.terms import InForce
from terminal.opening import first_event, terms_of
from terminal.receipts.desk import ReceiptDesk
from terminal.receipts.receipt import ReceiptWriter
from terminal.seams import Clock
from terminal.security.keys import TillKeys
from terminal.security.renewal import renew
from terminal.view import PaymentView, View

AGAIN_S: Final = 30.0
"""How soon somebody tries to start a till that did not come up."""
OperationKind = Kind | Literal["read"]
PRINTED_S: Final = 1.5
SLIPS_AT_ONCE: Final = 3


class Watcher(Protocol):
    """Whoever looks on, and says what must not be."""

    def moved(self, till: WorldTill, entries: Sequence[Entry]) -> None:
        """These moves are on disk."""

    def started(self, till: WorldTill, length: int) -> None:
        """A till came up with so many moves in its journal."""

    def shows(self, till: WorldTill, view: View) -> None:
        """The till shows this."""

    def sends(self, till: WorldTill, payment: PaymentView) -> None:
        """The till asks the bank to take or to give back money."""

    def printed(self, till: WorldTill) -> None:
        """A slip came out."""


class WorldDisk(Disk):
    """A disk that says when it fails."""

    def __init__(self, name: str, failed: Callable[[], None]) -> None:
        super().__init__(name)
        self._failed = failed
        self._is_looked_at = False

    @contextmanager
    def looked_at(self) -> Iterator[None]:
        """Let somebody read who is not of this world: to him no disk is broken."""
        self._is_looked_at = True
        try:
            yield
        finally:
            self._is_looked_at = False

    def allow(self, kind: OperationKind) -> None:
        """Count an operation; raise what SQLite is told if it fails."""
        if self._is_looked_at:
            return
        try:
            super().allow(kind)
        except apsw.Error:
            self._failed()
            raise


class WatchedJournal(Journal):
    """The journal, whose rows are read along."""

    def __init__(self, till: WorldTill, clock: Clock) -> None:
        self._till = till
        super().__init__(till.folder, clock)

    def append(self, entries: Sequence[Entry]) -> None:
        """Put these moves on disk."""
        super().append(entries)
        self._till.has_written(entries)

    def append_batch(self, wish: RecordBatch) -> None:
        """Put a batch's move on disk."""
        super().append_batch(wish)
        self._till.has_closed(wish)


class WorldTill:
    """A till that can lose its power at any moment, and comes up again."""

    def __init__(
        self,
        name: str,
        folder: Path,
        settings: Settings,
        agenda: Agenda,
        bank: WorldBank,
        load: Load,
        log: Log,
        watcher: Watcher,
        seed: int,
    ) -> None:
        self.name = name
        self.folder = folder
        self._settings = settings
        self._agenda = agenda
        self._bank = bank
        self._load = load
        self._words: tuple[TillKeys, Words] | None = None
        self._log = log
        self._watcher = watcher
        self._dice: random.Random = chance(seed, name, "power")
        self.random = chance(seed, name, "random").randbytes
        self.clock = TillClock(agenda)
        self.network = Network(chance(seed, name, "network"))
        self.printer = WorldPrinter()
        self.keys = Keys(folder / "keys", settings.bank, self.random)
        self._in_force = InForce(terms_of(settings))
        self.counter = Counter(
            self._in_force, self.keys, agenda, self.clock, self.random, self.post
        )
        self.disk = WorldDisk(f"world-{folder}", self._disk_failed)
        self._platter = Platter()
        self._mark = b""
        """The mark as it was when the till came up."""
        self._life = 0
        self._journal: WatchedJournal | None = None
        self._executor: Executor | None = None
        self._link: Link | None = None
        self._desk: ReceiptDesk | None = None
        self._alarm_ns: int | None = None
        self.length = 0
        """How many moves have been called safe."""
        self._is_doomed = False
        """When the disk fails, it is the power that is gone."""
        self._dark_s = 0.0
        self._is_dying = False
        """The power is gone; whatever is still wished comes too late."""

    # --- on and off ---------------------------------------------------------------

    @property
    def is_on(self) -> bool:
        """True while a till runs."""
        return self._executor is not None

    @property
    def view(self) -> View:
        """What it shows."""
        return View() if self._executor is None else self._executor.view

    @property
    def journal(self) -> Journal:
        """The journal of the till that runs."""
        if self._journal is None:
            raise JournalUnavailable(f"{self.name} is off")
        return self._journal

    def switch_on(self) -> None:
        """Start the till. If its disk does not let it, somebody tries again later."""
        if self.is_on:
            return
        self.clock.boot()
        self._life += 1
        self._log.event(self.name, "on")
        try:
            with self.disk.chosen():
                journal = WatchedJournal(self, self.clock)
        except JournalUnavailable as error:
            self._log.event(self.name, f"did not come up: {error}")
            self._agenda.after(AGAIN_S, self.switch_on)
            return
        except JournalCorrupt as error:
            raise RuleBroken("memory", f"{self.name}: {error}") from error
        self._journal = journal
        mark = self.folder / MARK
        self._mark = mark.read_bytes()
        self._watcher.started(self, journal.verify())
        self._begin(journal)

    def _begin(self, journal: WatchedJournal) -> None:
        """Put a core on the journal, and let it begin with what is in there."""
        settings, clock = self._settings, self.clock
        if (self.folder / NEWEST).exists():
            self._in_force.terms = terms_of(self._load(self._parameters.newest()))
        core = Core(
            clock,
            self._in_force.terms.limits,
            journal.payment,
            self.random,
            journal.batch_payments,
        )
        executor = self._executor = Executor(core, journal, clock)
        errands = Errands(journal.sealed, code_valid_s=settings.shop.code_valid_s)
        self._link = Link(
            self.name,
            self.network,
            self._agenda,
            self._bank,
            self._log,
            self._words_now,
            errands,
            self.post,
            lambda payment: self._watcher.sends(self, payment),
        )
        self._desk = ReceiptDesk(
            lambda: self.printer,
            "printer",
            ReceiptWriter(journal.payment, lambda: self._in_force.terms.letterhead),
            self.post,
            prints="always",
            has_codes=True,
        )
        executor.begin(self.counter, self._link, self)
        executor.subscribe(self._show)
        self.take(first_event(journal, clock, self.counter.places, self._in_force.terms.version))

    def switch_off(self) -> None:
        """Close the till as people do in the evening."""
        if not self.is_on:
            return
        self._log.event(self.name, "off")
        self._end_life()
        self.disk.mend()
        self.journal.close()
        self._journal = None
        self._settle_disk()

    def lose_power(self, for_s: float) -> None:
        """Pull the plug, and put it back later: unsynced writes meet one fate or another."""
        if self._journal is None:
            return
        fate = self._dice.choice(FATES)
        self._log.event(self.name, f"loses its power; unsynced writes are {fate}")
        self._end_life()
        self._settle_disk()
        files = self._platter.without_power(fate, self._dice)
        is_mark_kept = self._dice.random() < 0.5
        # Closing tidies the files up; then they are made what the power left.
        self.disk.mend()
        self._journal.close()
        self._journal = None
        self.disk.operations.clear()
        self._put_back(files)
        if not is_mark_kept:
            (self.folder / MARK).write_bytes(self._mark)
        self._agenda.after(for_s, self.switch_on)

    def _put_back(self, files: Mapping[str, bytearray]) -> None:
        for path in self.folder.glob("journal.db*"):
            path.unlink()
        self._platter = Platter()
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
            self._platter.safe[name] = bytearray(content)

    def _settle_disk(self) -> None:
        """Tell the platter what the disk has done since."""
        for operation in self.disk.operations:
            self._platter.take(operation)
        self.disk.operations.clear()

    def _end_life(self) -> None:
        self._executor = self._desk = None
        self._life += 1
        self._alarm_ns = None
        self._is_doomed = self._is_dying = False
        if self._link is not None:
            self._link.cut()
            self._link = None
        self.counter.power_down()

    def close(self) -> None:
        """Let the till's files go."""
        if self._journal is not None:
            self.disk.mend()
            self._journal.close()
            self._journal = None
        self.disk.unregister()

    # --- its keys, and what it works by ---------------------------------------------

    def _words_now(self) -> Words:
        """Return its keys at work; others once they were renewed."""
        keys = self.keys.keys
        if self._words is None or self._words[0] is not keys:
            exchange = Exchange(AUTHORITY, keys, self.clock, self.random)
            self._words = keys, Words(exchange, peer_of(keys.certificates))
        return self._words[1]

    def _client_by(self, keys: TillKeys) -> InstantClient:
        peer = peer_of(keys.certificates)
        exchange = Exchange(AUTHORITY, keys, self.clock, self.random)
        return InstantClient(exchange, self.network, partial(deliver, self._bank, peer))

    def rotate_keys(self) -> None:
        """Renew the till's keys, or go on with what an earlier try began."""
        if not self.is_on:
            return
        try:
            renew(self.folder / "keys", self._client_by)
        except (BankLinkError, EnrolmentRefused) as error:
            self._log.event(self.name, f"keys not renewed: {error}")

    def do(self, wish: NewsWish) -> None:
        """Fetch what the bank has set or written, or work by it; see terminal.executor.News."""
        match wish:
            case AdoptTerms(terms):
                self._in_force.terms = terms
            case FetchTerms(version):
                self.post(self._fetched(version))
            case FetchBulletins(after):
                self.post(self._written(after))

    def _written(self, after: int) -> InboxEvent:
        try:
            return BulletinsCame(bulletins.fetch(self._client_by(self.keys.keys), after))
        except BankLinkError as error:
            self._log.event(self.name, f"messages not fetched: {error}")
            return BulletinsCame(())

    @property
    def _parameters(self) -> ParameterStore:
        return ParameterStore(self.folder, self.keys.keys.answer_key, self._load)

    def _fetched(self, version: int) -> InboxEvent:
        store = self._parameters
        try:
            store.fetch(self._client_by(self.keys.keys), partial(self._log.event, self.name))
        except (BankLinkError, UntrustedAnswer, ParametersRefused) as error:
            self._log.event(self.name, f"parameters not fetched: {error}")
            return TermsNotHad(version, is_refused=isinstance(error, ParametersRefused))
        return TermsReady(terms_of(self._load(store.newest())))

    # --- what happens to it ---------------------------------------------------------

    def post(self, event: InboxEvent) -> None:
        """Have the till take an event in its turn, if it still runs then."""
        life = self._life
        self._agenda.after(0, lambda: self._take_of(life, event))

    def _take_of(self, life: int, event: InboxEvent) -> None:
        if life == self._life:
            self.take(event)

    def take(self, event: InboxEvent) -> TillError | None:
        """Have the core take an event now; return why it would not."""
        executor = self._executor
        if executor is None:
            return None
        self._log.event(self.name, event)
        refusal: TillError | None = None
        try:
            executor.take(event)
        except TillError as error:
            refusal = error
            self._log.event(self.name, f"refused: {error}")
        self._settle_disk()
        if self._is_dying:
            self.lose_power(self._dark_s)
        else:
            self._set_alarm(executor)
        return refusal

    def fail_disk(self, good: int, fault: Fault) -> None:
        """Let the disk do so many operations more, and none after them."""
        self.disk.fail_after(good, fault)

    def mend_disk(self) -> None:
        """The disk works again."""
        if not self._is_doomed:
            self.disk.mend()

    def doom(self, good: int, for_s: float) -> None:
        """Let the power go in the middle of what the disk does, so many operations on."""
        if self.is_on:
            self._is_doomed, self._dark_s = True, for_s
            self.disk.fail_after(good, "broken")

    def undoom(self) -> None:
        """The power stays."""
        self._is_doomed = False
        self.disk.mend()

    def _disk_failed(self) -> None:
        if self._is_doomed and not self._is_dying:
            self._is_dying = True
            if self._link is not None:
                self._link.cut()
            self.counter.power_down()

    def _set_alarm(self, executor: Executor) -> None:
        due = executor.next_due()
        if due is None:
            return
        moment_ns = self.clock.moment_ns(due)
        if self._alarm_ns is None or moment_ns < self._alarm_ns:
            self._alarm_ns = moment_ns
            life = self._life
            self._agenda.at(moment_ns, lambda: self._ring(life, moment_ns))

    def _ring(self, life: int, moment_ns: int) -> None:
        if life != self._life or self._executor is None or self._alarm_ns != moment_ns:
            return
        self._alarm_ns = None
        rang: list[TimerRang] = self._executor.due()
        for event in rang:
            self._take_of(life, event)
        if life == self._life and self._executor is not None:
            self._set_alarm(self._executor)

    # --- what it does -----------------------------------------------------------------

    def has_written(self, entries: Sequence[Entry]) -> None:
        """The journal calls these moves safe."""
        self.length += len(entries)
        for entry in entries:
            self._log.row(self.name, f"{entry.move} {entry.payment} {bool(entry.sealed)}")
        self._watcher.moved(self, entries)

    def has_closed(self, wish: RecordBatch) -> None:
        """The journal calls a batch's move safe."""
        self.length += 1
        self._log.row(self.name, f"{wish.move} {records.encoded(wish.batch)}")

    def _show(self, view: View) -> None:
        if self._is_dying:
            return
        self._watcher.shows(self, view)
        desk = self._desk
        if desk is None:
            return
        desk(view)
        self._agenda.after(PRINTED_S, lambda: self._print(desk))

    def _print(self, desk: ReceiptDesk) -> None:
        """Print what waits, if the till that wanted it still runs."""
        for _ in range(SLIPS_AT_ONCE):
            if desk is not self._desk:
                return
            count = len(self.printer.slips)
            desk.turn()
            if len(self.printer.slips) > count:
                self._watcher.printed(self)
