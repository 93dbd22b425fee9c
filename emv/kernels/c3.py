"""Kernel 3: qVSDC, online and offline, with fDDA.

One GET PROCESSING OPTIONS, the records the card lists, then decisions. The
card may leave after the last record. Read top to bottom, the file follows
Book C-3, chapter 5; requirement numbers are those of its version 2.6.
Magnetic stripe mode is not here: schemes have ended it.

Source: EMV Contactless Book C-3. Where public implementations of it
disagree, a comment says so and which way we went.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from emv import bits, tags, tlv
from emv.apdu import (
    STATUS_COMMAND_NOT_ALLOWED,
    STATUS_CONDITIONS_NOT_SATISFIED,
    STATUS_DATA_INVALIDATED,
    STATUS_OK,
    get_processing_options,
)
from emv.authentication import (
    FORMAT_SIGNED_DYNAMIC,
    FORMAT_SIGNED_DYNAMIC_FDDA,
    CAKeyStore,
    PublicKey,
    recover_icc_key,
    recover_issuer_key,
    verify_dynamic_data,
    verify_static_data,
)
from emv.bits import AIP, AUC, CTQ, TTQ
from emv.conversation import Kernel, exchange, fresh_bytes, note, on_exception_file, show
from emv.dol import fill_dol, parse_dol
from emv.entry_point import Activation, KernelFactory
from emv.entry_point.configuration import TYPE_CASH, TYPE_CASHBACK, TYPE_MANUAL_CASH
from emv.errors import AuthenticationFailed, CardRefused, ConfigurationError, MalformedData
from emv.outcome import (
    CVM,
    ErrorIndication,
    Interface,
    MessageId,
    Outcome,
    ReaderStatus,
    Reason,
    Start,
    Status,
    UserInterfaceRequest,
)
from emv.records import Record, data_objects, read_application_data, signed_static_data
from emv.restrictions import allows_cash, allows_cashback, is_expired, read_date

KERNEL_ID = 3

SEE_PHONE_MS = 1300  # Hold time 13, field off 13. Source: 5.2.2.2.
FDDA_VERSION_00 = 0x00
FDDA_VERSION_01 = 0x01


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the acquirer decides for this kernel. Source: Book C-3, Annex A.3."""

    ca_keys: CAKeyStore = field(default_factory=CAKeyStore)
    has_exception_file: bool = True
    """Ask whether a card that approves offline is on the exception file."""
    checks_cash: bool = True
    """Application usage control for manual cash."""
    checks_cashback: bool = True
    """Application usage control for cashback."""
    accepts_fdda_version_00: bool = True
    """The older dynamic signature, over the unpredictable number alone."""


def kernel(configuration: Configuration) -> KernelFactory:
    """Return the kernel, ready for the Entry Point to activate."""

    def activate(activation: Activation) -> Kernel[Outcome]:
        return process(configuration, activation)

    return activate


@dataclass(slots=True)
class _Session:
    """One transaction in the making: what was given, read and decided."""

    configuration: Configuration
    activation: Activation
    ttq: TTQ
    terminal: dict[int, bytes] = field(repr=False)
    """Data objects of terminal and transaction, and the unpredictable number."""
    fci: dict[int, bytes] = field(repr=False)
    card: dict[int, bytes] = field(default_factory=dict, repr=False)
    """Data objects of the GPO response and the records."""
    records: tuple[Record, ...] = ()
    ctq: CTQ | None = None
    cryptogram: int = bits.CID_AAC
    decline: Reason | None = None
    """'Decline Required by Reader', with what required it."""
    must_go_online: bool = False
    """'Online Required by Reader'."""

    @property
    def is_online_capable(self) -> bool:
        """Whether this reader can ask the issuer at all."""
        return TTQ.OFFLINE_ONLY not in self.ttq

    @property
    def pan(self) -> str:
        """The card number, out of track 2."""
        return _pan_of_track_2(self.card[tags.TAG_57_TRACK_2_EQUIVALENT_DATA])


def process(configuration: Configuration, activation: Activation) -> Kernel[Outcome]:
    """Carry out one transaction with a selected qVSDC application.

    Bad card data and unforeseen status words end the application: they are
    outcomes too.
    Raises ConfigurationError if the combination has no TTQ.

    Source: Book C-3, 5.
    """
    if activation.indicators.ttq is None:
        raise ConfigurationError("kernel 3 needs tag 9F66 in its combination")
    session = _Session(
        configuration,
        activation,
        TTQ.decode(activation.indicators.ttq),
        terminal={**activation.terminal.objects(), **activation.transaction.objects()},
        fci=_usable(activation.fci),
    )
    try:
        ended = yield from initiate_application(session)
        if ended is not None:
            return ended
        # Room for dynamic reader limits: tag 9F5A of the FCI would choose a
        # set, and entry_point.assess() the indicators, before the GPO.
        yield from read_records(session)
        yield from show(
            UserInterfaceRequest(
                MessageId.CARD_READ_OK,
                ReaderStatus.CARD_READ_OK,
                language=session.fci.get(tags.TAG_5F2D_LANGUAGE_PREFERENCE, b""),
            )
        )
        missing = check_card_data(session)
        if missing is not None:
            yield from note(f"card data missing: tag {missing:X}", "Book C-3, 5.4.2.1")
            return end_application(Reason.CARD_DATA_MISSING, f"tag {missing:X}")
        yield from determine_cryptogram(session)
        switched = yield from restrict_processing(session)
        if switched is None:
            switched = yield from authenticate_offline(session)
        if switched is not None:
            return switched
    except CardRefused as refused:
        yield from note(str(refused), "Book C-3, 5.3")
        return end_application(Reason.CARD_REFUSED, refused.command, refused.status)
    except MalformedData as error:
        yield from note(f"card data cannot be read: {error}", "Book C-3, 5.4.2")
        return end_application(Reason.CARD_DATA_ERROR, str(error))
    cvm = CVM.NONE
    if session.decline is None:
        cvm = yield from verify_cardholder(session)
    return (yield from complete(session, cvm))


def _usable(fci: tuple[tlv.Node, ...]) -> dict[int, bytes]:
    """Return the primitive objects of the FCI that have a length they may have.

    Of a repeated object the first counts; labels that do not fit a receipt
    are better left out than cut.
    """
    values: dict[int, bytes] = {}
    for node in tlv.walk(fci):
        meaning = tags.meaning(node.tag, kernel=KERNEL_ID)
        if node.children is None and (meaning is None or meaning.fits(len(node.value))):
            values.setdefault(node.tag, node.value)
    return values


# 5.2 Initiate application processing

PDOL_DATA_MAX = 252  # With its tag and length, what a short command carries.


def initiate_application(session: _Session) -> Kernel[Outcome | None]:
    """Send GET PROCESSING OPTIONS; return the outcome if that is the end.

    Raises MalformedData if the PDOL or the response cannot be read.

    Source: Book C-3, 5.2.2.
    """
    terminal = session.terminal
    number = yield from fresh_bytes(4)
    terminal[tags.TAG_9F37_UNPREDICTABLE_NUMBER] = number
    terminal[tags.TAG_9F66_TTQ] = session.ttq.encoded
    # This kernel keeps no TVR: a card that asks for one signs zeros.
    terminal[tags.TAG_95_TVR] = bytes(5)
    pdol = session.fci.get(tags.TAG_9F38_PDOL, b"")
    if sum(length for _, length in parse_dol(pdol)) > PDOL_DATA_MAX:
        raise MalformedData("PDOL asks for more than a command can carry")
    reply = yield from exchange(get_processing_options(fill_dol(pdol, terminal)))
    if reply.status == STATUS_OK:
        _take(session.card, _options(tlv.decode(reply.data)))
        return None
    yield from note(f"GPO answered {reply.status:04X}", "Book C-3, 5.2.2.2")
    if reply.status == STATUS_DATA_INVALIDATED:
        return try_contact(Reason.SWITCH_INTERFACE, reply.status)
    if reply.status == STATUS_CONDITIONS_NOT_SATISFIED:
        return Outcome(
            Status.SELECT_NEXT,
            start=Start.C,
            error=ErrorIndication(2, "GPO", reply.status),
            reason=Reason.SELECT_NEXT,
        )
    if reply.status == STATUS_COMMAND_NOT_ALLOWED:
        return see_phone(reply.status)
    # unsettled: the book's own text for the rest could not be seen; public
    # implementations end the application.
    return end_application(Reason.CARD_REFUSED, "GPO", reply.status)


def _options(nodes: tuple[tlv.Node, ...]) -> tuple[tlv.Node, ...]:
    """Return the data objects of a GPO response, whichever of the formats.

    Raises MalformedData if it is neither. Source: EMV 4.4 Book 3, 6.5.8.4.
    """
    if len(nodes) != 1:
        raise MalformedData(f"GPO response of {len(nodes)} objects")
    (node,) = nodes
    if node.tag == tags.TAG_77_RESPONSE_FORMAT_2:
        return node.children or ()
    if node.tag == tags.TAG_80_RESPONSE_FORMAT_1 and len(node.value) >= 2:
        return (
            tlv.Node(tags.TAG_82_AIP, node.value[:2], None, node.offset),
            tlv.Node(tags.TAG_94_AFL, node.value[2:], None, node.offset),
        )
    raise MalformedData(f"GPO response is template {node.tag:X}")


def _take(card: dict[int, bytes], nodes: tuple[tlv.Node, ...]) -> None:
    """Add data objects to what the card sent.

    Raises MalformedData if it sends one twice: 5.4.2.2.
    """
    for tag, value in tlv.collect(nodes).items():
        if tag in card:
            raise MalformedData(f"tag {tag:X} occurs twice")
        card[tag] = value


# 5.3 Read application data


def read_records(session: _Session) -> Kernel[None]:
    """Read what the card lists, if it lists anything.

    Raises CardRefused if a record is missing, MalformedData if one is bad.

    Source: Book C-3, 5.3.
    """
    afl = session.card.get(tags.TAG_94_AFL, b"")
    if not afl:
        return
    session.records = yield from read_application_data(afl)
    for record in session.records:
        _take(session.card, data_objects(record))


# 5.4 Card read complete

MANDATORY = (
    tags.TAG_82_AIP,
    tags.TAG_9F36_ATC,
    tags.TAG_9F26_APPLICATION_CRYPTOGRAM,
    tags.TAG_9F10_ISSUER_APPLICATION_DATA,
    tags.TAG_57_TRACK_2_EQUIVALENT_DATA,
)

# Lengths that a decision or the bank relies on. Source: Book C-3, Annex A.2.
LENGTHS: Mapping[int, tuple[int, int]] = {
    tags.TAG_57_TRACK_2_EQUIVALENT_DATA: (1, 19),
    tags.TAG_5A_PAN: (1, 10),
    tags.TAG_5F24_EXPIRATION_DATE: (3, 3),
    tags.TAG_5F28_ISSUER_COUNTRY_CODE: (2, 2),
    tags.TAG_5F34_PAN_SEQUENCE_NUMBER: (1, 1),
    tags.TAG_82_AIP: (2, 2),
    tags.TAG_8F_CA_PUBLIC_KEY_INDEX: (1, 1),
    tags.TAG_9F07_APPLICATION_USAGE_CONTROL: (2, 2),
    tags.TAG_9F10_ISSUER_APPLICATION_DATA: (1, 32),
    tags.TAG_9F26_APPLICATION_CRYPTOGRAM: (8, 8),
    tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA: (1, 1),
    tags.TAG_9F36_ATC: (2, 2),
    tags.TAG_9F5D_AVAILABLE_OFFLINE_SPENDING_AMOUNT: (6, 6),
    tags.TAG_9F69_CARD_AUTHENTICATION_RELATED_DATA: (5, 16),
    tags.TAG_9F6C_CTQ: (2, 2),
    tags.TAG_9F6E_FORM_FACTOR_INDICATOR: (4, 32),
    tags.TAG_9F7C_CUSTOMER_EXCLUSIVE_DATA: (0, 32),
}


def check_card_data(session: _Session) -> int | None:
    """Return the mandatory tag that is missing, or None.

    Raises MalformedData for a wrong length, a track or date that is none,
    or a PAN that differs from the track's.

    Source: Book C-3, 5.4.2 and Annex A.2.
    """
    card = session.card
    if tags.TAG_84_DF_NAME not in session.fci:
        return tags.TAG_84_DF_NAME
    for tag in MANDATORY:
        if tag not in card:
            return tag
    for tag, (least, most) in LENGTHS.items():
        if tag in card and not least <= len(card[tag]) <= most:
            raise MalformedData(f"tag {tag:X} of {len(card[tag])} bytes")
    pan = session.pan
    stated = card.get(tags.TAG_5A_PAN)
    if stated is not None and stated.hex().upper().rstrip("F") != pan:
        raise MalformedData("tag 5A is not the PAN of tag 57")
    if tags.TAG_5F24_EXPIRATION_DATE in card:
        read_date(card[tags.TAG_5F24_EXPIRATION_DATE], is_end=True)
    offline_amount = card.get(tags.TAG_9F5D_AVAILABLE_OFFLINE_SPENDING_AMOUNT, b"")
    if offline_amount and not offline_amount.hex().isdecimal():
        raise MalformedData("tag 9F5D is no amount")
    if tags.TAG_9F6C_CTQ in card:
        session.ctq = CTQ.decode(card[tags.TAG_9F6C_CTQ])
    return None


def _pan_of_track_2(track: bytes) -> str:
    """Return the PAN before the separator. Raises MalformedData if there is none."""
    pan, separator, rest = track.hex().upper().rstrip("F").partition("D")
    if not separator or not 8 <= len(pan) <= 19 or not (pan + rest).isdecimal():
        raise MalformedData("tag 57 is no track 2")
    return pan


def determine_cryptogram(session: _Session) -> Kernel[None]:
    """Find what the card decided, and what follows from it.

    Raises MalformedData if the card does not say.

    Source: Book C-3, 5.4.3.
    """
    card = session.card
    if tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA not in card:
        # 5.4.3.1: bits 6-5 of IAD byte 5, which in every Visa format lie in
        # the card verification results, become bits 8-7 of the CID.
        application_data = card[tags.TAG_9F10_ISSUER_APPLICATION_DATA]
        if len(application_data) < 5:
            raise MalformedData("neither tag 9F27 nor byte 5 of tag 9F10")
        card[tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA] = bytes(
            (application_data[4] << 2 & bits.CID_TYPE_MASK,)
        )
    session.cryptogram = card[tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA][0] & bits.CID_TYPE_MASK
    source = "Book C-3, 5.4.3.2"
    if session.cryptogram == bits.CID_ARQC:
        session.must_go_online = True
        yield from note("card asks for the issuer (ARQC)", source)
    elif session.cryptogram == bits.CID_TC:
        yield from note("card approves (TC)", source)
        if TTQ.ONLINE_CRYPTOGRAM_REQUIRED in session.ttq:
            # unsettled: a card must not do this. Public implementations go
            # online with the TC, so that the issuer decides.
            session.must_go_online = True
            yield from note("an online cryptogram was required: going online", source)
    else:
        session.decline = Reason.CARD_DECLINED
        yield from note("card declines (AAC)", source)


# 5.5 Processing restrictions


def restrict_processing(session: _Session) -> Kernel[Outcome | None]:
    """Decide expiry, exception file, cash and cashback.

    Returns the outcome if the card wants another interface for it.
    Raises MalformedData if a date cannot be read.

    Source: Book C-3, 5.5.1.
    """
    ctq = session.ctq or CTQ(0)
    if session.cryptogram == bits.CID_TC:
        yield from _check_expiry(session, ctq)
        if session.decline is None and session.configuration.has_exception_file:
            yield from _check_exception_file(session)

    kind = session.activation.transaction.transaction_type
    if session.decline not in (None, Reason.CARD_DECLINED):
        return None
    if kind in (TYPE_CASH, TYPE_MANUAL_CASH) and session.configuration.checks_cash:
        allowed = _is_allowed(session, allows_cash)
        switch, reason = CTQ.SWITCH_FOR_CASH, Reason.CASH_NOT_ALLOWED
    elif kind == TYPE_CASHBACK and session.configuration.checks_cashback:
        allowed = _is_allowed(session, allows_cashback)
        switch, reason = CTQ.SWITCH_FOR_CASHBACK, Reason.CASHBACK_NOT_ALLOWED
    else:
        return None
    if allowed:
        return None
    yield from note(str(reason), "Book C-3, 5.5.1.3 and 5.5.1.4")
    if switch in ctq:
        return Outcome(
            Status.TRY_ANOTHER_INTERFACE,
            ui=UserInterfaceRequest(MessageId.TRY_OTHER_INTERFACE, ReaderStatus.PROCESSING_ERROR),
            reason=reason,
        )
    session.decline = session.decline or reason
    return None


def _check_expiry(session: _Session, ctq: CTQ) -> Kernel[None]:
    """Source: Book C-3, 5.5.1.1."""
    expiration = session.card.get(tags.TAG_5F24_EXPIRATION_DATE)
    # A card that does not say until when it is valid counts as expired.
    if expiration is not None and not is_expired(expiration, session.activation.transaction.date):
        return
    if CTQ.ONLINE_IF_EXPIRED in ctq and session.is_online_capable:
        session.must_go_online = True
        yield from note("expired: the card goes online with that", "Book C-3, 5.5.1.1")
        return
    session.decline = Reason.EXPIRED
    yield from note("expired", "Book C-3, 5.5.1.1")


def _check_exception_file(session: _Session) -> Kernel[None]:
    """Source: Book C-3, 5.5.1.2."""
    number = session.card.get(tags.TAG_5F34_PAN_SEQUENCE_NUMBER)
    sequence = int(number.hex()) if number is not None and number.hex().isdecimal() else None
    if (yield from on_exception_file(session.pan, sequence)):
        session.decline = Reason.EXCEPTION_FILE
        yield from note("on the exception file", "Book C-3, 5.5.1.2")


class _Allowance(Protocol):
    """The shape of restrictions.allows_cash and its neighbours."""

    def __call__(self, usage: AUC, *, is_domestic: bool) -> bool:
        """Whether the usage control allows it."""


def _is_allowed(session: _Session, allows: _Allowance) -> bool:
    """Ask the usage control; a card without one, or without a country, allows nothing.

    unsettled: for the lack of either the public implementations refuse,
    where EMV Book 3, 10.4.2 would let a contact card pass.
    """
    usage = session.card.get(tags.TAG_9F07_APPLICATION_USAGE_CONTROL)
    country = session.card.get(tags.TAG_5F28_ISSUER_COUNTRY_CODE)
    if usage is None or country is None:
        return False
    is_domestic = country == session.terminal[tags.TAG_9F1A_TERMINAL_COUNTRY_CODE]
    return allows(AUC.decode(usage), is_domestic=is_domestic)


# 5.6 Offline data authentication


def authenticate_offline(session: _Session) -> Kernel[Outcome | None]:
    """Prove the card genuine where its cryptogram alone must be believed.

    Offline that is fDDA, always. For an online authorisation it is done
    only where reader and card both support it: fDDA, or else the static
    signature.
    Returns the outcome if the card wants another interface after a failure.

    Source: Book C-3, 5.6.
    """
    if session.decline is not None:
        return None
    profile = AIP.decode(session.card[tags.TAG_82_AIP])
    is_for_online = session.must_go_online
    if is_for_online and not (TTQ.ODA_FOR_ONLINE in session.ttq and profile & (AIP.DDA | AIP.SDA)):
        return None
    try:
        if is_for_online and AIP.DDA not in profile:
            authenticate_static(session)
        else:
            authenticate_fast_dynamic(session)
    except AuthenticationFailed as failure:
        yield from note(f"card not authentic: {failure}", "Book C-3, 5.6")
        ctq = session.ctq or CTQ(0)
        if not is_for_online:
            if CTQ.ONLINE_IF_ODA_FAILS in ctq and session.is_online_capable:
                session.must_go_online = True
                return None
            if CTQ.SWITCH_IF_ODA_FAILS in ctq and TTQ.CONTACT_CHIP in session.ttq:
                return try_contact(Reason.NOT_AUTHENTIC)
        # unsettled: what a failure means for an online authorisation. A
        # reader that asks for it lets people through before the issuer
        # answers, so it must not pass.
        session.decline = Reason.NOT_AUTHENTIC
        return None
    yield from note("card is authentic", "Book C-3, 5.6")
    return None


def authenticate_fast_dynamic(session: _Session) -> None:
    """Check the card's signature over this transaction.

    Raises AuthenticationFailed, naming the check, MalformedData for a
    record that cannot be read.

    Source: Book C-3, 5.6.2 and Annex C.
    """
    key = _icc_key(session)
    related = session.card.get(tags.TAG_9F69_CARD_AUTHENTICATION_RELATED_DATA)
    # unsettled: how version 00 shows itself. Public descriptions give 9F69
    # to version 01 only, so a card without it is read as version 00.
    version = FDDA_VERSION_00 if related is None else related[0]
    terminal = session.terminal
    signed = _required(session, tags.TAG_9F4B_SIGNED_DYNAMIC_APPLICATION_DATA)
    number = terminal[tags.TAG_9F37_UNPREDICTABLE_NUMBER]
    if version == FDDA_VERSION_01 and related is not None:
        covered = (
            number
            + terminal[tags.TAG_9F02_AMOUNT_AUTHORISED]
            + terminal[tags.TAG_5F2A_TRANSACTION_CURRENCY_CODE]
            + related
        )
        verify_dynamic_data(signed, key, covered, (FORMAT_SIGNED_DYNAMIC_FDDA,))
    elif version == FDDA_VERSION_00 and session.configuration.accepts_fdda_version_00:
        # unsettled: whether format 95 came before or with version 01. Cards
        # of version 00 may also sign as plain DDA does: 05.
        formats = (FORMAT_SIGNED_DYNAMIC_FDDA, FORMAT_SIGNED_DYNAMIC)
        verify_dynamic_data(signed, key, number, formats)
    else:
        raise AuthenticationFailed(f"fDDA version {version:02X} is not supported")


def authenticate_static(session: _Session) -> None:
    """Check the issuer's signature over the card's static data.

    Raises as authenticate_fast_dynamic.

    Source: EMV 4.4 Book 2, 5.
    """
    signed = _required(session, tags.TAG_93_SIGNED_STATIC_APPLICATION_DATA)
    verify_static_data(signed, _issuer_key(session), _static_data(session))


def _required(session: _Session, tag: int) -> bytes:
    """Return an object that authentication needs."""
    value = session.card.get(tag)
    if value is None:
        raise AuthenticationFailed(f"tag {tag:X} is missing")
    return value


def _issuer_key(session: _Session) -> PublicKey:
    """Go from the scheme's key to the issuer's."""
    today = session.activation.transaction.date
    index = _required(session, tags.TAG_8F_CA_PUBLIC_KEY_INDEX)[0]
    # The scheme is the reader's AID's: a card must not choose whose key counts.
    ca_key = session.configuration.ca_keys.find(session.activation.combination.rid, index, today)
    return recover_issuer_key(
        _required(session, tags.TAG_90_ISSUER_PUBLIC_KEY_CERTIFICATE),
        session.card.get(tags.TAG_92_ISSUER_PUBLIC_KEY_REMAINDER, b""),
        _required(session, tags.TAG_9F32_ISSUER_PUBLIC_KEY_EXPONENT),
        ca_key,
        session.pan,
        today,
    )


def _icc_key(session: _Session) -> PublicKey:
    """Go from the scheme's key to the card's."""
    return recover_icc_key(
        _required(session, tags.TAG_9F46_ICC_PUBLIC_KEY_CERTIFICATE),
        session.card.get(tags.TAG_9F48_ICC_PUBLIC_KEY_REMAINDER, b""),
        _required(session, tags.TAG_9F47_ICC_PUBLIC_KEY_EXPONENT),
        _issuer_key(session),
        _static_data(session),
        session.pan,
        session.activation.transaction.date,
    )


def _static_data(session: _Session) -> bytes:
    """Return what the issuer signed; a bad tag list is a failure to authenticate."""
    try:
        return signed_static_data(
            session.records,
            session.card.get(tags.TAG_9F4A_SDA_TAG_LIST),
            session.card[tags.TAG_82_AIP],
        )
    except MalformedData as error:
        raise AuthenticationFailed(str(error)) from error


# 5.7 Cardholder verification


def verify_cardholder(session: _Session) -> Kernel[CVM]:
    """Decide how the cardholder is verified, or that it cannot be done.

    Source: Book C-3, 5.7.1.
    """
    ttq, ctq = session.ttq, session.ctq
    is_required = TTQ.CVM_REQUIRED in ttq
    cvm = CVM.NONE
    source = "Book C-3, 5.7.1.2"
    if ctq is not None:
        # The card's wish counts also below the reader's own limit. Public
        # implementations look at the PIN before the device, as here.
        if CTQ.ONLINE_PIN_REQUIRED in ctq and TTQ.ONLINE_PIN in ttq:
            session.must_go_online = True
            cvm = CVM.ONLINE_PIN
        elif CTQ.CDCVM_PERFORMED in ctq and TTQ.CDCVM in ttq:
            if not _is_device_verification_proved(session):
                session.decline = Reason.DEVICE_NOT_TRUSTED
                yield from note(str(session.decline), source)
                return CVM.NONE
            cvm = CVM.CONFIRMATION_CODE_VERIFIED
        elif CTQ.SIGNATURE_REQUIRED in ctq and TTQ.SIGNATURE in ttq:
            cvm = CVM.SIGNATURE
    elif is_required:
        source = "Book C-3, 5.7.1.1"
        if TTQ.SIGNATURE in ttq:
            cvm = CVM.SIGNATURE
        elif TTQ.ONLINE_PIN in ttq:
            session.must_go_online = True
            cvm = CVM.ONLINE_PIN
    if cvm is CVM.NONE and is_required:
        wants_pin = ctq is not None and CTQ.ONLINE_PIN_REQUIRED in ctq
        session.decline = Reason.PIN_NOT_POSSIBLE if wants_pin else Reason.CVM_NOT_POSSIBLE
        yield from note(str(session.decline), "Book C-3, 5.7.1.3")
        return cvm
    yield from note(f"cardholder verification: {cvm.value}", source)
    return cvm


def _is_device_verification_proved(session: _Session) -> bool:
    """True if what the phone says of its owner is under a signature or an ARQC.

    Where 9F69 is there, its copy of the CTQ was signed; without it the
    issuer sees the truth in the cryptogram, so it must be asked.

    Source: Book C-3, 5.7.1.2.
    """
    related = session.card.get(tags.TAG_9F69_CARD_AUTHENTICATION_RELATED_DATA)
    if related is not None:
        return related[5:7] == session.card[tags.TAG_9F6C_CTQ]
    return session.cryptogram == bits.CID_ARQC


# 5.8 and 5.9 Online processing and completion


def complete(session: _Session, cvm: CVM) -> Kernel[Outcome]:
    """Return the outcome that all decisions come to.

    Source: Book C-3, 5.8, 5.9 and 4.3.
    """
    if session.decline is None and session.must_go_online and not session.is_online_capable:
        session.decline = Reason.ONLINE_NOT_POSSIBLE
        yield from note(str(session.decline), "Book C-3, 5.8")
    if session.decline is not None:
        return Outcome(
            Status.DECLINED,
            ui=_result(session, MessageId.NOT_AUTHORISED, ReaderStatus.CARD_READ_OK),
            data_record=data_record(session, CVM.NOT_APPLICABLE),
            discretionary=_discretionary(session),
            reason=session.decline,
        )
    if session.must_go_online:
        # Room for issuer update processing (TTQ byte 3 bit 8, CTQ byte 2
        # bit 7): it would start again at B with the issuer's answer.
        return Outcome(
            Status.ONLINE_REQUEST,
            cvm=cvm,
            ui=_result(session, MessageId.AUTHORISING, ReaderStatus.NOT_READY),
            data_record=data_record(session, cvm),
            discretionary=_discretionary(session),
            receipt=cvm is CVM.SIGNATURE,
        )
    message = MessageId.APPROVED_SIGN if cvm is CVM.SIGNATURE else MessageId.APPROVED
    return Outcome(
        Status.APPROVED,
        cvm=cvm,
        ui=_result(session, message, ReaderStatus.CARD_READ_OK),
        data_record=data_record(session, cvm),
        discretionary=_discretionary(session),
        receipt=cvm is CVM.SIGNATURE,
    )


def _result(session: _Session, message: MessageId, status: ReaderStatus) -> UserInterfaceRequest:
    """Return a closing message, with the card's offline balance if it told one: 4.3.1.1."""
    balance = session.card.get(tags.TAG_9F5D_AVAILABLE_OFFLINE_SPENDING_AMOUNT)
    return UserInterfaceRequest(
        message,
        status,
        language=session.fci.get(tags.TAG_5F2D_LANGUAGE_PREFERENCE, b""),
        value_minor=int(balance.hex()) if balance else None,
        currency=session.activation.transaction.currency if balance else None,
    )


def _discretionary(session: _Session) -> dict[int, bytes]:
    """Return what the till may show and the bank does not need."""
    tag = tags.TAG_9F5D_AVAILABLE_OFFLINE_SPENDING_AMOUNT
    return {tag: session.card[tag]} if tag in session.card else {}


FROM_CARD = (
    tags.TAG_57_TRACK_2_EQUIVALENT_DATA,
    tags.TAG_5A_PAN,
    tags.TAG_5F24_EXPIRATION_DATE,
    tags.TAG_5F34_PAN_SEQUENCE_NUMBER,
    tags.TAG_82_AIP,
    tags.TAG_9F10_ISSUER_APPLICATION_DATA,
    tags.TAG_9F26_APPLICATION_CRYPTOGRAM,
    tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA,
    tags.TAG_9F36_ATC,
    tags.TAG_9F6C_CTQ,
    tags.TAG_9F7C_CUSTOMER_EXCLUSIVE_DATA,
)
FROM_FCI = (
    tags.TAG_50_APPLICATION_LABEL,
    tags.TAG_84_DF_NAME,
    tags.TAG_9F11_ISSUER_CODE_TABLE_INDEX,
    tags.TAG_9F12_APPLICATION_PREFERRED_NAME,
)
FROM_TERMINAL = (
    tags.TAG_5F2A_TRANSACTION_CURRENCY_CODE,
    tags.TAG_95_TVR,
    tags.TAG_9A_TRANSACTION_DATE,
    tags.TAG_9C_TRANSACTION_TYPE,
    tags.TAG_9F02_AMOUNT_AUTHORISED,
    tags.TAG_9F03_AMOUNT_OTHER,
    tags.TAG_9F1A_TERMINAL_COUNTRY_CODE,
    tags.TAG_9F33_TERMINAL_CAPABILITIES,
    tags.TAG_9F35_TERMINAL_TYPE,
    tags.TAG_9F37_UNPREDICTABLE_NUMBER,
    tags.TAG_9F39_POS_ENTRY_MODE,
    tags.TAG_9F66_TTQ,
)

# Tag 9F34. Kernel 3 has none of its own; these are the common readings.
# Source: EMV 4.4 Book 4, 6.3.4.5; for the device, Book C-2, CVM selection.
CVM_RESULTS = {
    CVM.NONE: bytes.fromhex("3F0000"),
    CVM.NOT_APPLICABLE: bytes.fromhex("3F0000"),
    CVM.SIGNATURE: bytes.fromhex("1E0000"),
    CVM.ONLINE_PIN: bytes.fromhex("020000"),
    CVM.CONFIRMATION_CODE_VERIFIED: bytes.fromhex("010002"),
}


def data_record(session: _Session, cvm: CVM) -> dict[int, bytes]:
    """Return what goes to the bank and onto the receipt, tag to value.

    Card objects never stand in for the terminal's. The TVR is the one the
    card's cryptogram was made over, zeros: the issuer recomputes it, so the
    result of offline authentication is not written into it. Public
    implementations of this kernel send zeros as well.

    Source: Book C-3, Annex B.
    """
    record = {tag: session.card[tag] for tag in FROM_CARD if tag in session.card}
    record |= {tag: session.fci[tag] for tag in FROM_FCI if tag in session.fci}
    record |= {tag: session.terminal[tag] for tag in FROM_TERMINAL}
    record[tags.TAG_9F34_CVM_RESULTS] = CVM_RESULTS[cvm]
    form_factor = session.card.get(tags.TAG_9F6E_FORM_FACTOR_INDICATOR)
    if form_factor is not None:
        # 4.1.1.1: the interface of byte 4 is the reader's to say: ISO/IEC 14443.
        record[tags.TAG_9F6E_FORM_FACTOR_INDICATOR] = (
            form_factor[:3] + bytes((form_factor[3] & 0xF0,)) + form_factor[4:]
        )
    return record


# Outcomes without a decision on the payment


def try_contact(reason: Reason, status_word: int | None = None) -> Outcome:
    """Return the outcome that sends the customer to the chip slot.

    Source: Book C-3, 5.2.2.2.
    """
    return Outcome(
        Status.TRY_ANOTHER_INTERFACE,
        ui=UserInterfaceRequest(MessageId.INSERT_CARD, ReaderStatus.PROCESSING_ERROR),
        alternate_interface=Interface.CONTACT,
        error=ErrorIndication(2, reason, status_word, MessageId.INSERT_CARD),
        reason=reason,
    )


def see_phone(status_word: int) -> Outcome:
    """Return the outcome of a phone that wants its owner first.

    The field goes off while the owner looks; then the tap is asked for again.

    Source: Book C-3, 5.2.2.2.
    """
    return Outcome(
        Status.TRY_AGAIN,
        start=Start.B,
        ui=UserInterfaceRequest(
            MessageId.SEE_PHONE, ReaderStatus.PROCESSING_ERROR, hold_ms=SEE_PHONE_MS
        ),
        ui_on_restart=UserInterfaceRequest(
            MessageId.PRESENT_CARD_AGAIN, ReaderStatus.READY_TO_READ
        ),
        field_off_ms=SEE_PHONE_MS,
        error=ErrorIndication(2, "GPO", status_word, MessageId.SEE_PHONE),
        reason=Reason.SEE_PHONE,
    )


def end_application(reason: Reason, detail: str, status_word: int | None = None) -> Outcome:
    """Return the outcome of a card that cannot be used.

    detail: names the tag or command; no card data.
    """
    return Outcome(
        Status.END_APPLICATION,
        ui=UserInterfaceRequest(MessageId.TRY_ANOTHER_CARD, ReaderStatus.PROCESSING_ERROR),
        error=ErrorIndication(2, detail, status_word, MessageId.TRY_ANOTHER_CARD),
        reason=reason,
    )
