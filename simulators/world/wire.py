"""The way from a till to its bank: the link's own bytes, through bad weather.

Signed, judged and queued by the till's own code; only the socket is replaced.
"""

from __future__ import annotations

import enum
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from simulators.bank.core import HttpAnswer, HttpRequest, Peer
from simulators.bank.trust.signatures import FieldLines
from simulators.world.agenda import Agenda
from simulators.world.bank import WorldBank
from simulators.world.broken import RuleBroken
from simulators.world.log import Log
from terminal.bank import batches, errands
from terminal.bank.desk import LANES
from terminal.bank.exchange import Exchange, Question, Received
from terminal.batch.events import SendBatch
from terminal.errors import AnswerLost, MalformedMessage, NeverLeft
from terminal.events import InboxEvent, Purpose, Send, Sending
from terminal.view import PaymentView

AUTHORITY: Final = "localhost"
ANSWER_S: Final = 30.0
"""How long a till waits for an answer; as in the bench shop."""
REFUSED_S: Final = 0.2
LATER_S: Final = (0.5, 50.0)
"""By how much a request that is delivered too late is behind its till's patience, or doubled."""


class Weather(enum.StrEnum):
    """What becomes of requests and answers."""

    CLEAR = "clear"
    REFUSED = "refused"
    CUT_BEFORE = "cut-before"
    """The connection breaks before the request has arrived."""
    CUT_AFTER = "cut-after"
    """It breaks before the answer has."""
    SLOW_THERE = "slow-there"
    """The request arrives after the till has given up."""
    SLOW_BACK = "slow-back"
    """The answer does."""
    TWICE = "twice"
    """The request is delivered a second time."""
    SWAPPED = "swapped"
    """The answer is one to another request."""
    GARBLED = "garbled"
    """A byte of the answer is another."""
    ANY = "any"
    """Each of them, one request like this and the next like that."""


_BAD: Final = tuple(weather for weather in Weather if weather is not Weather.ANY)


class Network:
    """One till's line, whatever till runs at its end."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.weather = Weather.CLEAR
        self.heard: deque[HttpAnswer] = deque(maxlen=8)
        """The last answers, for whoever mixes them up."""

    def clear_up(self) -> None:
        """The line is good again."""
        self.weather = Weather.CLEAR

    def fate(self) -> Weather:
        """Return what becomes of one request."""
        return self._dice.choice(_BAD) if self.weather is Weather.ANY else self.weather

    def latency_s(self) -> float:
        """Return how long one way takes; no two overtakings are alike."""
        return self._dice.uniform(0.02, 0.4)

    def later_s(self) -> float:
        """Return how late something is that is late."""
        return self._dice.uniform(*LATER_S)

    def twisted(self, fate: Weather, answer: HttpAnswer) -> HttpAnswer:
        """Return what arrives in an answer's place."""
        others = [other for other in self.heard if other is not answer]
        if fate is Weather.SWAPPED and others:
            return self._dice.choice(others)
        if fate is Weather.GARBLED:
            body = bytearray(answer.body)
            body[self._dice.randrange(len(body))] ^= 1 << self._dice.randrange(8)
            return HttpAnswer(answer.status, answer.headers, bytes(body), answer.summary)
        return answer


@dataclass(frozen=True, slots=True)
class Words:
    """A till's keys at work: what it signs by, and whom its certificate names."""

    exchange: Exchange
    peer: Peer


@dataclass(slots=True)
class _Letter:
    """One request under way."""

    lane: str
    wish: Send | SendBatch
    question: Question[Any]
    words: Words
    headers: dict[str, str]
    is_delivered: bool = False


class Link:
    """Carries one running till's wishes; satisfies terminal.executor.Bank."""

    def __init__(
        self,
        till: str,
        network: Network,
        agenda: Agenda,
        bank: WorldBank,
        log: Log,
        words: Callable[[], Words],
        asked: errands.Errands,
        post: Callable[[InboxEvent], None],
        pays: Callable[[PaymentView], None],
    ) -> None:
        """words: the till's keys at work, which may be others each time.

        post: takes what came of each wish; nothing after cut().

        pays: told of each payment that is to be taken.
        """
        self._pays = pays
        self._till = till
        self._network = network
        self._agenda = agenda
        self._bank = bank
        self._log = log
        self._words = words
        self._errands = asked
        self._post = post
        self._lanes: dict[str, deque[Send | SendBatch]] = {lane: deque() for lane in LANES.values()}
        self._is_cut = False

    def send(self, wish: Send | SendBatch) -> None:
        """Queue a request; its end comes as exactly one event."""
        if self._is_cut:
            return
        if isinstance(wish, Send) and wish.purpose is Purpose.PAY:
            self._pays(wish.payment)
        lane = LANES[wish.purpose]
        self._lanes[lane].append(wish)
        if len(self._lanes[lane]) == 1:
            self._begin(lane)

    def cut(self) -> None:
        """The till is gone: what is under way goes on, and nobody hears of it."""
        self._is_cut = True

    def _begin(self, lane: str) -> None:
        wish = self._lanes[lane][0]
        try:
            words = self._words()
            question = _question(words.exchange, self._errands, wish)
            words.exchange.check_certificate()
        except (MalformedMessage, NeverLeft) as error:
            self._end_after(0, lane, _unanswered(wish, error))
            return
        fate = self._network.fate()
        if fate is Weather.REFUSED or not self._bank.is_up:
            refused = NeverLeft("the bank does not accept connections")
            self._end_after(REFUSED_S, lane, _unanswered(wish, refused))
            return
        letter = _Letter(lane, wish, question, words, words.exchange.signed(question))
        self._log.message(self._till, question.path, question.body)
        if isinstance(wish, Send):
            self._post(Sending(wish.purpose, wish.payment.id))
        self._carry(letter, fate)

    def _carry(self, letter: _Letter, fate: Weather) -> None:
        network, there_s = self._network, self._network.latency_s()
        match fate:
            case Weather.CUT_BEFORE:
                self._lose_after(there_s, letter, "the connection ended")
            case Weather.SLOW_THERE:
                self._deliver_after(ANSWER_S + network.later_s(), letter)
                self._lose_after(ANSWER_S, letter, "the bank did not answer in time")
            case _:
                self._agenda.after(there_s, lambda: self._arrive(letter, fate))

    def _arrive(self, letter: _Letter, fate: Weather) -> None:
        network, back_s = self._network, self._network.latency_s()
        answer = self._deliver(letter)
        if fate is Weather.TWICE:
            self._deliver_after(network.later_s(), letter)
        if answer is None or fate is Weather.CUT_AFTER:
            self._lose_after(back_s, letter, "the connection ended before the answer")
        elif fate is Weather.SLOW_BACK:
            self._lose_after(ANSWER_S, letter, "the bank did not answer in time")
        else:
            heard = network.twisted(fate, answer)
            self._agenda.after(back_s, lambda: self._hear(letter, heard))

    def _deliver_after(self, seconds: float, letter: _Letter) -> None:
        def deliver() -> None:
            self._deliver(letter)

        self._agenda.after(seconds, deliver)

    def _deliver(self, letter: _Letter) -> HttpAnswer | None:
        """Give the request to the bank; None if it is down."""
        answer = deliver(self._bank, letter.words.peer, letter.question, letter.headers)
        if answer is None:
            return None
        self._log.message("bank", answer.summary, answer.body)
        self._network.heard.append(answer)
        if letter.is_delivered and answer.status == HTTPStatus.OK:
            raise RuleBroken("replay", f"the bank took {answer.summary} a second time")
        letter.is_delivered = True
        return answer

    def _hear(self, letter: _Letter, answer: HttpAnswer) -> None:
        if self._is_cut:
            return
        headers = {name.lower(): value for name, value in answer.headers.items()}
        received = Received(answer.status, headers, answer.body)
        try:
            reply = letter.words.exchange.judge(letter.question, letter.headers, received)
        except AnswerLost as error:
            self._end(letter.lane, _unanswered(letter.wish, error))
            return
        if isinstance(letter.wish, SendBatch):
            self._end(letter.lane, batches.answered(letter.wish, reply))
        else:
            self._end(letter.lane, errands.answered(letter.wish, reply))

    def _lose_after(self, seconds: float, letter: _Letter, why: str) -> None:
        self._end_after(seconds, letter.lane, _unanswered(letter.wish, AnswerLost(why)))

    def _end_after(self, seconds: float, lane: str, event: InboxEvent) -> None:
        self._agenda.after(seconds, lambda: self._end(lane, event))

    def _end(self, lane: str, event: InboxEvent) -> None:
        """Tell what came of the lane's first wish, and begin with its next."""
        if self._is_cut:
            return
        self._lanes[lane].popleft()
        self._post(event)
        if self._lanes[lane]:
            self._begin(lane)


def deliver(
    bank: WorldBank, peer: Peer, question: Question[Any], headers: Mapping[str, str]
) -> HttpAnswer | None:
    """Give a signed request to the bank; None if it is down."""
    if not bank.is_up:
        return None
    lines = FieldLines([("host", AUTHORITY), *headers.items()])
    return bank.answer(HttpRequest("POST", question.path, lines, question.body, peer))


def _question(exchange: Exchange, asked: errands.Errands, wish: Send | SendBatch) -> Question[Any]:
    if isinstance(wish, SendBatch):
        return exchange.about_batch(batches.question(wish))
    return exchange.about_payment(asked.request(wish))


def _unanswered(wish: Send | SendBatch, error: errands.Silence) -> InboxEvent:
    if isinstance(wish, SendBatch):
        return batches.unanswered(wish, error)
    return errands.unanswered(wish, error)
