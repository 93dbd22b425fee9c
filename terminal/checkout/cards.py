"""One reader's worker: runs whole conversations with cards, and says what came of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from drivers.errors import CardClash, CardMute, CardRemoved
from drivers.protocols import CardReader, Health, Interface, Signal
from emv import entry_point
from emv.conversation import Kernel, Note
from emv.kernels import contact
from emv.outcome import CVM, Outcome, Reason, Start, Status, UserInterfaceRequest
from terminal.checkout.card_facts import (
    encode_record,
    end_of,
    facts_of,
    in_a_slot,
    reason_of,
    unread_chip,
)
from terminal.checkout.chip import Cardholder, ChipAnswers, ContactRules, slot_of
from terminal.checkout.pin import PinWorker
from terminal.checkout.pump import Answers, converse
from terminal.checkout.worker import POLL_S, DeviceWorker
from terminal.events import (
    Arm,
    CardCompleted,
    CardEnd,
    CardPresented,
    CardRead,
    InboxEvent,
    TellCard,
)
from terminal.messages import Message
from terminal.questions import AnswerCard, CardAsks, CardSpeaks, ChoiceWanted, PinWanted
from terminal.seams import Randomness
from terminal.traces.keeper import Witness, unwitnessed
from terminal.view import Readiness

log = logging.getLogger(__name__)

READ_WELL = (CardEnd.ONLINE, CardEnd.APPROVED)
BANK_WORD_S = 300.0
"""Longer than PIN and bank can take together: the core always tells a chip that waits."""


@dataclass(frozen=True, slots=True)
class CardRules:
    """Everything a conversation needs that does not change from sale to sale."""

    config: entry_point.EntryPointConfig
    kernels: Mapping[int, entry_point.KernelFactory]
    brands: Mapping[bytes, str]
    """AID of the reader's list to what people call it."""
    is_on_exception_file: Callable[[str, int | None], bool]
    contact: ContactRules
    """For cards in a slot."""

    def brand_of(self, aid: bytes) -> str:
        """Return what people call an application, by its longest known beginning."""
        fitting = [known for known in self.brands if aid.startswith(known)]
        return self.brands[max(fitting, key=len)] if fitting else ""


class CardWorker(DeviceWorker[CardReader]):
    """Owns one reader. Armed, it waits for a card; a conversation ends in one event."""

    def __init__(
        self,
        open_reader: Callable[[], CardReader],
        name: str,
        rules: Callable[[bool], CardRules],
        transaction: Callable[[Arm], entry_point.Transaction],
        seal: Callable[[str, bytes], str],
        prove: Callable[[Arm, str], str],
        random: Randomness,
        post: Callable[[InboxEvent], None],
        *,
        pins: PinWorker | None = None,
        witness: Witness = unwitnessed,
    ) -> None:
        """name: what people call the reader. rules: returns those that hold, for
        payments of which a card may decide by itself, or (True) must not; they change
        between sales only.

        seal: attempt and card data to a JWE only the bank can open.
        prove: signs the sale with its sealed card, for a bank that hears of it late.
        pins: asks for PINs, and keeps a card until its holder has entered one;
        None where there is no PIN pad.
        witness: writes conversations down.
        """
        super().__init__(open_reader, name, "reader", post)
        self._rules = rules
        self.transaction = transaction
        self._seal = seal
        self._prove = prove
        self._pins = pins
        self._witness = witness
        self._answers = Answers(
            random,
            lambda pan, number: rules(False).is_on_exception_file(pan, number),
            self._show,
            self._note,
        )
        self._is_card_left = False
        """The card of the last payment is still in the slot."""
        self._unread = 0
        """How often in this sale a chip could not be read."""

    def _is_there(self, device: CardReader) -> bool:
        return device.diagnose().health is not Health.ABSENT

    def _greet(self, device: CardReader) -> Readiness:
        if device.interface is Interface.CONTACTLESS:
            return Readiness.READY
        self._role = "contact"
        return Readiness.READY

    def _serve(self, arm: Arm, device: CardReader) -> None:
        if device.interface is Interface.CONTACT:
            self._serve_slot(arm, device)
        else:
            self._serve_antenna(arm, device)

    def _serve_slot(self, arm: Arm, device: CardReader) -> None:
        device.signal(Signal.READY)
        self._unread = 0
        while self._is_armed(arm):
            is_mute = False
            try:
                if not device.wait_for_card(POLL_S):
                    self._is_card_left = False
                    continue
            except CardMute:
                is_mute = True
            if not self._is_armed(arm):
                # It came for the next sale, which finds it still active.
                return
            end = CardEnd.AGAIN
            if self._is_card_left:
                # Nobody pays twice because a card was forgotten.
                self._again(arm, Message.TAKE_CARD_OUT, Message.TAP_OR_CODE)
            elif is_mute:
                self._unread += 1
                self._again(arm, *unread_chip(self._unread))
            else:
                end = self._pay_by_chip(arm, device)
            device.signal(Signal.DONE if end in READ_WELL else Signal.ALERT)
            self._await_removal(arm, device)
            if end is not CardEnd.AGAIN:
                self._wait_while_armed(arm)
                break
        device.signal(Signal.OFF)

    def _await_removal(self, arm: Arm, device: CardReader) -> None:
        """Wait until the card has left the slot, or another sale begins."""
        device.release()
        self._is_card_left = True
        while _is_in(device):
            device.release()
            with self._changed:
                if self._changed.wait_for(lambda: self._is_wanted_elsewhere(arm), POLL_S):
                    return
        self._is_card_left = False

    def _is_wanted_elsewhere(self, arm: Arm) -> bool:
        return self._closing or self._arm not in (arm, None)

    def _pay_by_chip(self, arm: Arm, device: CardReader) -> CardEnd:
        """Carry one chip payment, the bank's word included, to the card's last word."""
        self._post(CardPresented(arm.arming, self._name))
        holder = Cardholder(
            device,
            partial(self._ask_holder, arm, device),
            lambda language: self._post(CardSpeaks(arm.arming, language)),
            self._pins,
            self._wake,
        )
        kernel, answers = self.chip_talk(arm, device, partial(self._ask_bank, arm), holder)
        is_approved = False
        try:
            outcome = converse(kernel, device, answers)
            is_approved = outcome.status is Status.APPROVED
        finally:
            if answers.has_asked_bank:
                self._post(CardCompleted(arm.attempt, is_approved))
        if answers.has_asked_bank:
            return CardEnd.ONLINE
        if holder.gave_up is not None and outcome.reason is Reason.CANCELLED:
            self._again(arm, holder.gave_up, Message.ANOTHER_CARD_OR_WALLET)
            return CardEnd.AGAIN
        return self.report(arm, outcome)

    def chip_talk(
        self,
        arm: Arm,
        reader: CardReader,
        ask_bank: Callable[[Outcome], TellCard | None],
        holder: Cardholder,
    ) -> tuple[Kernel[Outcome], ChipAnswers]:
        """Return the conversation with a chip, and who answers what it asks.

        ask_bank: hands the card's request on, and returns the bank's word.
        holder: answers what the card asks whoever holds it.
        """
        rules = self._rules(arm.must_go_online).contact
        configuration = rules.configuration
        transaction = self.transaction(arm)
        kernel = contact.process(configuration, rules.terminal_at(slot_of(reader)), transaction)
        kernel = self._witness(kernel, arm.attempt, slot_of(reader), transaction, False)
        return kernel, ChipAnswers(self._answers, ask_bank, holder, configuration.languages)

    def _ask_holder(
        self,
        arm: Arm,
        device: CardReader,
        question: ChoiceWanted | PinWanted,
        is_answered: Callable[[], bool],
    ) -> AnswerCard | None:
        """Put a question to the card's holder; return the core's answer, None if none comes.

        is_answered: says that it came another way.
        Raises CardRemoved if the card leaves meanwhile.
        """

        def is_over() -> bool:
            return is_answered() or not self._is_armed(arm) or isinstance(self._told, AnswerCard)

        with self._changed:
            self._told = None
        self._post(CardAsks(arm.arming, self._name, question))
        while True:
            with self._changed:
                if self._changed.wait_for(is_over, POLL_S):
                    return self._told if isinstance(self._told, AnswerCard) else None
            if not device.wait_for_card(0):
                raise CardRemoved("the card left while its holder was asked")

    def _ask_bank(self, arm: Arm, online: Outcome) -> TellCard | None:
        """Hand a chip's request to the core; return the bank's word, None if none comes."""
        with self._changed:
            if not self._is_armed(arm):
                return None
            self._told = None
        if self.report(arm, online, waits_for=arm.attempt) is not CardEnd.ONLINE:
            return None
        with self._changed:
            self._changed.wait_for(
                lambda: self._closing or self._bank_word(arm) is not None, BANK_WORD_S
            )
            return self._bank_word(arm)

    def _bank_word(self, arm: Arm) -> TellCard | None:
        told = self._told
        return told if isinstance(told, TellCard) and told.attempt == arm.attempt else None

    def _serve_antenna(self, arm: Arm, device: CardReader) -> None:
        transaction = self.transaction(arm)
        prepared = entry_point.pre_process(self._rules(arm.must_go_online).config, transaction)
        refused = entry_point.refusal(prepared, transaction)
        if refused is not None:
            # No combination allows this amount: the field stays off.
            self._again(arm, *reason_of(refused))
            self._wait_while_armed(arm)
            return
        outcome: Outcome | None = None
        device.signal(Signal.READY)
        while self._is_armed(arm):
            try:
                if not device.wait_for_card(POLL_S):
                    continue
            except CardClash:
                self._again(arm, Message.ONE_CARD_ONLY, Message.TRY_ONCE_MORE)
                device.release()
                self._wait_while_armed(arm, POLL_S)
                continue
            if not self._is_armed(arm):
                # It came for the next sale, which finds it again.
                device.release()
                return
            outcome, end = self.tap(arm, device, transaction, outcome)
            # Some readers take a tenth of a second to beep: the bank is asked
            # meanwhile. They take the command only while a card is active.
            device.signal(Signal.DONE if end in READ_WELL else Signal.ALERT)
            device.release()
            if end is not CardEnd.AGAIN:
                self._wait_while_armed(arm)
                device.signal(Signal.OFF)
                return
        device.signal(Signal.OFF)

    def _lost(self, arm: Arm) -> None:
        other_way = Message.TAP_OR_CODE if self._role == "contact" else Message.INSERT_OR_CODE
        self._again(arm, Message.READER_LOST, other_way)

    def _again(self, arm: Arm, reason: Message | None, next_step: Message | None) -> None:
        """Say why nothing was read; the sale goes on."""
        self._post(CardRead(arm.arming, CardEnd.AGAIN, reason, next_step, reader=self._name))

    def tap(
        self,
        arm: Arm,
        reader: CardReader,
        transaction: entry_point.Transaction,
        previous: Outcome | None,
    ) -> tuple[Outcome, CardEnd]:
        """Take the card that is active through one whole conversation, and tell the core.

        previous: what the last one of the same sale came to.
        """
        self._post(CardPresented(arm.arming, self._name))
        restart = previous is not None and previous.start is Start.B
        rules = self._rules(arm.must_go_online)
        kernel = entry_point.run(
            rules.config,
            transaction,
            rules.kernels,
            Start.B if restart else Start.A,
            previous if restart else None,
        )
        kernel = self._witness(kernel, arm.attempt, "contactless", transaction, restart)
        outcome = converse(kernel, reader, self._answers)
        return outcome, self.report(arm, outcome)

    def report(self, arm: Arm, outcome: Outcome, *, waits_for: str = "") -> CardEnd:
        """Tell the core what a conversation came to.

        waits_for: the attempt whose word from the bank the chip waits for.
        """
        end = end_of(outcome)
        reason, next_step = reason_of(outcome)
        if self._role == "contact":
            reason, next_step = in_a_slot(reason, next_step)
        if reason is Message.CHIP_NOT_READ:
            self._unread += 1
            reason, next_step = unread_chip(self._unread)
        facts, sealed, proof, kept = None, "", "", None
        needs_pin = end is CardEnd.ONLINE and outcome.cvm is CVM.ONLINE_PIN
        if needs_pin and self._pins is None:
            end = CardEnd.DECLINED
            reason, next_step = Message.PIN_PAD_MISSING, Message.ANOTHER_CARD_OR_WALLET
        if outcome.data_record:
            aid = outcome.data_record.get(0x84, b"")
            facts = facts_of(outcome, self._rules(False).brand_of(aid))
            if needs_pin and self._pins is not None:
                kept = self._pins.keep(outcome.data_record)
            elif end in READ_WELL:
                sealed = self._seal(arm.attempt, encode_record(outcome.data_record))
                proof = self._prove(arm, sealed)
        self._post(
            CardRead(
                arm.arming,
                end,
                reason,
                next_step,
                facts,
                sealed,
                self._name,
                kept=kept,
                waits_for=waits_for if end is CardEnd.ONLINE else "",
                proof=proof,
            )
        )
        return end

    def _show(self, request: UserInterfaceRequest) -> None:
        # The screen follows the core; the reader's lights follow the conversation.
        log.debug("%s shows %s", self._name, request.message.name)

    def _note(self, note: Note) -> None:
        log.debug("%s: %s (%s)", self._name, note.said, note.source)


def _is_in(device: CardReader) -> bool:
    """Return whether a card is in the slot, mute or not."""
    try:
        return device.wait_for_card(0)
    except CardMute:
        return True
