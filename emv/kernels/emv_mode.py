"""The EMV mode that kernels 4, 5 and 6 share: options, records, one cryptogram.

What a kernel has of its own is handed in as its scheme: what it tells the
card, and how it finds out who is paying. The magnetic stripe modes of these
kernels are not here; a card that has no other is refused.

Source: EMV 4.4 Book 3, 9 and 10; EMV Contactless Book A, 6. unsettled: the
books of these kernels are thinly described in public. Where they are silent,
EMV's own rules stand, and a comment says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from emv import bits, tags
from emv.actions import (
    ActionCodes,
    analyse,
    explain,
    issuer_action_codes,
    reach_of,
    reason_of,
)
from emv.apdu import (
    STATUS_COMMAND_NOT_ALLOWED,
    STATUS_CONDITIONS_NOT_SATISFIED,
    STATUS_DATA_INVALIDATED,
    STATUS_OK,
    WITH_SIGNATURE,
    generate_ac,
    get_processing_options,
)
from emv.authentication import CAKeyStore, verify_static_data
from emv.bits import AIP, TVR, TerminalCapabilities
from emv.conversation import (
    Kernel,
    exchange,
    fresh_bytes,
    note,
    note_refusal,
    on_exception_file,
    show,
)
from emv.entry_point import Activation, Indicators
from emv.errors import AuthenticationFailed, CardRefused, DataMissing, MalformedData
from emv.kernels.cardholder import Verification
from emv.kernels.data_record import gather
from emv.kernels.endings import end_application, see_phone, select_next, try_contact
from emv.kernels.evidence import Evidence, find_missing_evidence
from emv.kernels.first_cryptogram import (
    check_cryptogram,
    cryptogram_objects,
    is_signed,
    take_signed,
)
from emv.kernels.objects import (
    pan_of,
    pdol_data,
    require,
    response_objects,
    sequence_number,
    take,
    usable_objects,
)
from emv.outcome import (
    CVM,
    MessageId,
    Outcome,
    ReaderStatus,
    Reason,
    Status,
    UserInterfaceRequest,
)
from emv.records import Record, data_objects, read_application_data
from emv.restrictions import check_restrictions


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the acquirer decides, whatever the kernel. The limits are the Entry Point's."""

    ca_keys: CAKeyStore = field(default_factory=CAKeyStore)
    action_codes: ActionCodes = field(default_factory=ActionCodes)
    capabilities: bytes = b"\x00\x28\x88"
    """Terminal Capabilities, tag 9F33: signature, no CVM; SDA and CDA."""
    application_version: bytes = b"\x00\x01"
    """Tag 9F09."""
    has_exception_file: bool = True


@dataclass(slots=True)
class Session:
    """One transaction in the making: what was given, read and decided."""

    kernel_id: int
    configuration: Configuration
    activation: Activation
    terminal: dict[int, bytes] = field(repr=False)
    fci: dict[int, bytes] = field(repr=False)
    card: dict[int, bytes] = field(default_factory=dict, repr=False)
    records: tuple[Record, ...] = ()
    aip: AIP = field(default=AIP(0))
    tvr: TVR = field(default=TVR(0))
    cvm: CVM = CVM.NOT_APPLICABLE
    requested: int = bits.CID_AAC
    findings: TVR = field(default=TVR(0))
    """What of the TVR made the reader ask for less than a TC."""
    lists_data: bytes = field(default=b"", repr=False)

    @property
    def indicators(self) -> Indicators:
        """What the Entry Point found of the amount."""
        return self.activation.indicators

    @property
    def capabilities(self) -> TerminalCapabilities:
        """What the reader can do."""
        return TerminalCapabilities.decode(self.configuration.capabilities)

    @property
    def evidence(self) -> Evidence:
        """What proves the card. Raises MalformedData if it has no number."""
        return Evidence(
            self.card,
            self.records,
            self.configuration.ca_keys,
            self.activation.combination.rid,
            pan_of(self.card),
            self.activation.transaction.date,
        )

    @property
    def signs(self) -> bool:
        """True if card and reader share combined signatures."""
        return TerminalCapabilities.CDA in self.capabilities and AIP.CDA in self.aip

    @property
    def book(self) -> str:
        """The source of a decision, for the trace."""
        return f"Book C-{self.kernel_id}"


@dataclass(frozen=True, slots=True)
class Scheme:
    """What one kernel has of its own."""

    kernel_id: int
    tell: Callable[[Session], dict[int, bytes]]
    """The reader's objects that only this kernel has, tag to value."""
    verify: Callable[[Session], Verification | Outcome]
    """How the holder is verified, or the outcome if that ends it. Raises MalformedData."""
    reread: Callable[[Session], CVM | None] = lambda _session: None
    """What the card says of its holder with its cryptogram; None if nothing."""
    from_card: tuple[int, ...] = ()
    """The kernel's own objects of the card that go to the bank."""


def carry_out(
    scheme: Scheme, configuration: Configuration, activation: Activation
) -> Kernel[Outcome]:
    """Carry out one transaction with a selected application.

    Bad card data and unforeseen status words end the application: they are
    outcomes too.
    """
    session = Session(
        scheme.kernel_id,
        configuration,
        activation,
        terminal={
            **activation.terminal.objects(),
            **activation.transaction.objects(),
            tags.TAG_9F33_TERMINAL_CAPABILITIES: configuration.capabilities,
            tags.TAG_9F09_APPLICATION_VERSION_TERMINAL: configuration.application_version,
            tags.TAG_9F34_CVM_RESULTS: bytes(3),
        },
        fci=usable_objects(activation.fci, scheme.kernel_id),
    )
    try:
        session.terminal |= scheme.tell(session)
        return (yield from _carry_out(scheme, session))
    except DataMissing as missing:
        yield from note("card data missing: tag {tag}", session.book, tag=f"{missing.tag:X}")
        return end_application(Reason.CARD_DATA_MISSING, f"tag {missing.tag:X}")
    except CardRefused as refused:
        yield from note_refusal(refused, session.book)
        return end_application(Reason.CARD_REFUSED, refused.command, refused.status)
    except MalformedData as error:
        yield from note("card data cannot be read: {error}", session.book, error=str(error))
        return end_application(Reason.CARD_DATA_ERROR, str(error))


def _carry_out(scheme: Scheme, session: Session) -> Kernel[Outcome]:
    """Take the steps in their order. Raises what they raise."""
    ended = yield from initiate(session)
    if ended is not None:
        return ended
    yield from read_records(session)
    yield from manage_risk(session)
    yield from authenticate_static(session)
    verified = scheme.verify(session)
    if isinstance(verified, Outcome):
        yield from note("{reason}", session.book, reason=verified.reason)
        return verified
    session.cvm = verified.cvm
    session.tvr |= verified.findings
    session.terminal[tags.TAG_9F34_CVM_RESULTS] = verified.results
    yield from note("cardholder verification: {cvm}", session.book, cvm=session.cvm.value)
    yield from analyse_actions(session)
    try:
        yield from obtain_cryptogram(session)
    except AuthenticationFailed as failure:
        yield from note("card not authentic: {failure}", session.book, failure=str(failure))
        return _settled(scheme, session, Status.DECLINED, Reason.NOT_AUTHENTIC)
    session.cvm = scheme.reread(session) or session.cvm
    yield from show(UserInterfaceRequest(MessageId.CARD_READ_OK, ReaderStatus.CARD_READ_OK))
    return conclude(scheme, session)


def initiate(session: Session) -> Kernel[Outcome | None]:
    """Send GET PROCESSING OPTIONS; return the outcome if that is the end.

    Raises DataMissing without AIP, MalformedData for what cannot be read.

    Source: EMV 4.4 Book 3, 10.1.
    """
    terminal = session.terminal
    terminal[tags.TAG_9F37_UNPREDICTABLE_NUMBER] = yield from fresh_bytes(4)
    terminal[tags.TAG_95_TVR] = session.tvr.encoded
    session.lists_data = pdol_data(session.fci.get(tags.TAG_9F38_PDOL, b""), terminal)
    reply = yield from exchange(get_processing_options(session.lists_data))
    if reply.status == STATUS_OK:
        take(session.card, response_objects(reply.data))
        session.aip = AIP.decode(require(session.card, tags.TAG_82_AIP))
        return None
    # unsettled: which status word does what here; these are kernel 3's readings.
    yield from note("GPO answered {status}", session.book, status=f"{reply.status:04X}")
    if reply.status == STATUS_CONDITIONS_NOT_SATISFIED:
        return select_next("GPO", reply.status)
    if reply.status == STATUS_DATA_INVALIDATED:
        return try_contact(Reason.SWITCH_INTERFACE, reply.status)
    if reply.status == STATUS_COMMAND_NOT_ALLOWED:
        return see_phone(reply.status)
    return end_application(Reason.CARD_REFUSED, "GPO", reply.status)


def read_records(session: Session) -> Kernel[None]:
    """Read what the card lists, and see that what must be there is.

    Raises CardRefused, DataMissing and MalformedData.

    Source: EMV 4.4 Book 3, 7.2 and 10.2.
    """
    locator = require(session.card, tags.TAG_94_AFL)
    session.records = yield from read_application_data(locator)
    for record in session.records:
        take(session.card, data_objects(record))
    for tag in (tags.TAG_5A_PAN, tags.TAG_5F24_EXPIRATION_DATE, tags.TAG_8C_CDOL1):
        require(session.card, tag)


def manage_risk(session: Session) -> Kernel[None]:
    """Write restrictions, floor limit and exception file into the TVR.

    The limits were compared by the Entry Point, before the tap.

    Source: EMV 4.4 Book 3, 10.4 and 10.6.
    """
    today = session.activation.transaction.date
    session.tvr |= check_restrictions(session.card, session.terminal, today)
    indicators = session.indicators
    if indicators.floor_limit_exceeded or indicators.status_check_requested:
        session.tvr |= TVR.FLOOR_LIMIT_EXCEEDED
    if indicators.zero_amount:
        session.tvr |= TVR.FLOOR_LIMIT_EXCEEDED
    if session.configuration.has_exception_file:
        number, card = pan_of(session.card), session.card
        if (yield from on_exception_file(number, sequence_number(card))):
            session.tvr |= TVR.ON_EXCEPTION_FILE
            yield from note("on the exception file", session.book)


def authenticate_static(session: Session) -> Kernel[None]:
    """See whether a signature will be verified, or verify the static one now.

    unsettled: dynamic authentication by a command of its own. A tap has no
    time for it, and cards that sign combine it with their cryptogram.

    Source: EMV 4.4 Book 3, 10.3.
    """
    if session.signs:
        session.tvr |= yield from find_missing_evidence(session.evidence)
        return
    if AIP.SDA not in session.aip or TerminalCapabilities.SDA not in session.capabilities:
        session.tvr |= TVR.ODA_NOT_PERFORMED
        return
    session.tvr |= TVR.SDA_SELECTED
    evidence = session.evidence
    try:
        signed = evidence.required(tags.TAG_93_SIGNED_STATIC_APPLICATION_DATA)
        verify_static_data(signed, evidence.issuer_key(), evidence.static_data())
    except AuthenticationFailed as failure:
        session.tvr |= TVR.SDA_FAILED
        yield from note("static data not authentic: {failure}", session.book, failure=str(failure))


def analyse_actions(session: Session) -> Kernel[None]:
    """Decide which cryptogram to ask for. Source: EMV 4.4 Book 3, 10.7."""
    decision = analyse(
        session.tvr,
        issuer_action_codes(session.card),
        session.configuration.action_codes,
        reach_of(session.activation.terminal.terminal_type),
    )
    session.requested, session.findings = decision.cryptogram, decision.findings
    yield from explain(decision.cryptogram, decision.rule, decision.findings, session.book)


def obtain_cryptogram(session: Session) -> Kernel[None]:
    """Ask for the cryptogram, and check what comes.

    Raises CardRefused, DataMissing, MalformedData; AuthenticationFailed for
    a signature that does not hold.

    Source: EMV 4.4 Book 3, 9.2; Book 2, 6.6.
    """
    is_due = (
        session.signs and session.requested != bits.CID_AAC and TVR.CDA_FAILED not in session.tvr
    )
    session.terminal[tags.TAG_95_TVR] = session.tvr.encoded
    data = pdol_data(session.card[tags.TAG_8C_CDOL1], session.terminal)
    control = session.requested | (WITH_SIGNATURE if is_due else 0)
    reply = yield from exchange(generate_ac(control, data))
    if reply.status != STATUS_OK:
        raise CardRefused("GENERATE AC", reply.status)
    take(session.card, cryptogram_objects(reply.data))
    check_cryptogram(session.card, session.requested)
    if is_signed(session.card, is_due=is_due):
        number = session.terminal[tags.TAG_9F37_UNPREDICTABLE_NUMBER]
        lists_data = session.lists_data + data
        take_signed(session.card, reply.data, session.evidence.icc_key(), number, lists_data)
        yield from note("card is authentic", session.book)


def conclude(scheme: Scheme, session: Session) -> Outcome:
    """Return the outcome of a cryptogram that holds."""
    given = session.card[tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA][0] & bits.CID_TYPE_MASK
    if given == bits.CID_TC:
        return _settled(scheme, session, Status.APPROVED)
    if given == bits.CID_ARQC:
        return _settled(scheme, session, Status.ONLINE_REQUEST)
    is_ours = session.requested == bits.CID_AAC
    reason = reason_of(session.findings) if is_ours else Reason.CARD_DECLINED
    return _settled(scheme, session, Status.DECLINED, reason)


def _settled(
    scheme: Scheme, session: Session, status: Status, reason: Reason | str = ""
) -> Outcome:
    """Return an outcome that carries the card's data."""
    is_paid = status is not Status.DECLINED
    message = {
        Status.APPROVED: MessageId.APPROVED,
        Status.ONLINE_REQUEST: MessageId.AUTHORISING,
    }.get(status, MessageId.NOT_AUTHORISED)
    if status is Status.APPROVED and session.cvm is CVM.SIGNATURE:
        message = MessageId.APPROVED_SIGN
    return Outcome(
        status,
        cvm=session.cvm if is_paid else CVM.NOT_APPLICABLE,
        ui=UserInterfaceRequest(
            message,
            ReaderStatus.NOT_READY,
            language=session.fci.get(tags.TAG_5F2D_LANGUAGE_PREFERENCE, b""),
        ),
        data_record=gather(session.fci, session.card, session.terminal, also_card=scheme.from_card),
        receipt=is_paid and session.cvm is CVM.SIGNATURE,
        reason=reason,
    )
