"""The bank's tables.

Identifiers are made by whoever inserts, never by a sequence of the server,
so that the same statements spread over several workers and databases.
Money is whole minor units, time is Unix milliseconds by the bank's clock.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    event,
)

VERSION = 1

metadata = MetaData()

facts = Table(
    "facts",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(200), nullable=False),
)

# ---- who may knock ---------------------------------------------------------

identities = Table(
    "identities",
    metadata,
    Column("role", String(10), primary_key=True),  # 'till' or 'wallet'
    Column("id", String(60), primary_key=True),
    Column("merchant", String(60), nullable=False),
    Column("fingerprint", String(64), nullable=False),  # SHA-256 of the TLS certificate
    Column("algorithm", String(30), nullable=False),  # RFC 9421 name; '' for a wallet
    Column("signing_key", String(400), nullable=False),  # PEM, public
    Column("enrolled_ms", BigInteger, nullable=False),
)

# Every certificate that was given out, and what the signing key beside it is.
credentials = Table(
    "credentials",
    metadata,
    Column("fingerprint", String(64), primary_key=True),  # SHA-256 of the TLS certificate
    Column("serial", String(42), nullable=False, index=True),  # hex, of the TLS certificate
    Column("role", String(10), nullable=False),
    Column("id", String(60), nullable=False),
    Column("algorithm", String(30), nullable=False),
    Column("signing_key", String(400), nullable=False),
    Column("state", String(10), nullable=False),  # 'next', 'current', 'last', 'ended', 'revoked'
    Column("until_ms", BigInteger, nullable=False),  # of a last one: when it ends
)
Index("credentials_of", credentials.c.role, credentials.c.id)

enrolment_codes = Table(
    "enrolment_codes",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("role", String(10), nullable=False),
    Column("id", String(60), nullable=False),
    Column("merchant", String(60), nullable=False),
    Column("certificate_days", Integer, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used", Boolean, nullable=False),
)

# Which keys a code was used for: whoever has them may ask again.
enrolled_keys = Table(
    "enrolled_keys",
    metadata,
    Column("code_digest", String(64), primary_key=True),
    Column("keys_digest", String(64), nullable=False),
)

# What tills are told to work by; the newest holds.
parameters = Table(
    "parameters",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("document", Text, nullable=False),  # JWS, compact, of a TOML text
    Column("exception_key", String(64)),  # hex, of the list of cards in it
    Column("made_ms", BigInteger, nullable=False),
)

# What cashiers are to read, numbered till by till.
bulletins = Table(
    "bulletins",
    metadata,
    Column("till", String(60), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("text", String(200), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
)

# Which numbers a till's requests had, as a sliding window.
counters = Table(
    "counters",
    metadata,
    Column("till", String(60), primary_key=True),
    Column("highest", BigInteger, nullable=False),
    Column("seen", String(256), nullable=False),  # hex; bit n is the number n below the highest
    Column("cloned_ms", BigInteger, nullable=False),  # when one came twice; 0 if none did
)

# Where a till's chains of hashes ended whenever it told; the first word holds.
chain_ends = Table(
    "chain_ends",
    metadata,
    Column("till", String(60), primary_key=True),
    Column("chain", String(10), primary_key=True),  # 'journal', 'audit'
    Column("length", BigInteger, primary_key=True),
    Column("digest", String(64), nullable=False),  # SHA-256, hex
    Column("told_ms", BigInteger, nullable=False),
)

nonces = Table(
    "nonces",
    metadata,
    Column("keyid", String(60), primary_key=True),
    Column("nonce", String(128), primary_key=True),
    Column("seen_ms", BigInteger, nullable=False, index=True),
)

answers = Table(
    "answers",
    metadata,
    Column("keyid", String(60), primary_key=True),
    Column("key", String(36), primary_key=True),
    Column("path", String(60), nullable=False),
    Column("body_digest", LargeBinary, nullable=False),  # SHA-256
    Column("body", LargeBinary, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
)

# ---- payments --------------------------------------------------------------

# In plain order, whatever a server's language is: a day's identities of version 7
# stand together, and are one partition. See days.py.
_ATTEMPT = String(36).with_variant(String(36, collation="C"), "postgresql")

payments = Table(
    "payments",
    metadata,
    Column("attempt", _ATTEMPT, primary_key=True),
    Column("till", String(60), nullable=False),
    Column("merchant", String(60), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("kind", String(10), nullable=False),  # see messages.PaymentKind; '' unseen
    Column("medium", String(20), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("at", String(24), nullable=False),  # by the till's clock
    Column("state", String(10), nullable=False),
    Column("code", String(2), nullable=False),
    Column("why", String(60), nullable=False),  # for the bank's own people
    Column("reference", String(12)),
    Column("authorisation", String(6)),
    Column("emv", String(200)),
    Column("brand", String(40)),
    Column("account", String(80)),
    Column("original", String(36), index=True),
    Column("expires_ms", BigInteger),
    Column("made_ms", BigInteger, nullable=False),
    postgresql_partition_by="RANGE (attempt)",
)
event.listen(
    payments,
    "after_create",
    DDL(  # type: ignore[no-untyped-call]
        "CREATE TABLE payments_rest PARTITION OF payments DEFAULT"
    ).execute_if(dialect="postgresql"),
)
Index("payments_of_account", payments.c.account, payments.c.made_ms)

orders = Table(
    "orders",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("attempt", String(36), nullable=False, index=True),
    Column("till", String(60), nullable=False),
    Column("merchant", String(60), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("at", String(24), nullable=False),
    Column("shown_code", String(60), nullable=False, unique=True),
    Column("state", String(10), nullable=False),  # 'open', 'paid', 'closed'
    Column("expires_ms", BigInteger, nullable=False),
)

# Money that is set aside for a shop now; see holds.py.
holds = Table(
    "holds",
    metadata,
    Column("attempt", _ATTEMPT, primary_key=True),  # of the pre-authorisation
    Column("account", String(80), nullable=False, index=True),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)

closings = Table(
    "closings",
    metadata,
    Column("attempt", String(36), primary_key=True),
    Column("signed_s", BigInteger, nullable=False),  # by the till's clock
)

codes = Table(
    "codes",
    metadata,
    Column("code", String(512), primary_key=True),
    Column("wallet", String(60), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used", Boolean, nullable=False),
)

cryptograms = Table(
    "cryptograms",
    metadata,
    Column("account", String(80), primary_key=True),
    Column("key_check", String(16), primary_key=True),  # which issuer key
    Column("atc", Integer, primary_key=True),
    Column("attempt", String(36), nullable=False),
)

pins = Table(
    "pins",
    metadata,
    Column("account", String(80), primary_key=True),
    Column("wrong_tries", Integer, nullable=False),
    Column("last_ms", BigInteger, nullable=False),  # of the last wrong one
)

# What chip cards were ordered to do, and whether they said that it is done.
card_orders = Table(
    "card_orders",
    metadata,
    Column("account", String(80), primary_key=True),
    Column("state", String(10), nullable=False),  # 'sent', 'done'
)

pin_pads = Table(
    "pin_pads",
    metadata,
    Column("pad", String(16), primary_key=True),  # hex of its initial key id
    Column("counter", BigInteger, nullable=False),  # the highest it has used
)

# ---- batches ---------------------------------------------------------------

# What a till closes together, by its own running number.
batch_members = Table(
    "batch_members",
    metadata,
    Column("attempt", _ATTEMPT, primary_key=True),
    Column("till", String(60), nullable=False),
    Column("batch", Integer, nullable=False),
)
Index("batch_members_of_batch", batch_members.c.till, batch_members.c.batch)

# Those that are closed.
batches = Table(
    "batches",
    metadata,
    Column("till", String(60), primary_key=True),
    Column("batch", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),  # of the till's lines, SHA-256
    Column("accepted", Boolean, nullable=False),  # though they were not the bank's
    Column("closed_ms", BigInteger, nullable=False),
)

# ---- the other dialect -----------------------------------------------------

# What a till called itself when it signed on, and when: its message key is made
# again from that moment.
terminals = Table(
    "terminals",
    metadata,
    Column("till", String(60), primary_key=True),
    Column("terminal", String(8), nullable=False),
    Column("merchant", String(15), nullable=False),
    Column("signed_on_ms", BigInteger, nullable=False),
)

# What ISO 8583 calls a payment by.
traces = Table(
    "traces",
    metadata,
    Column("attempt", String(36), primary_key=True),
    Column("till", String(60), nullable=False),
    Column("batch", String(6), nullable=False),
    Column("trace", String(6), nullable=False),
)
Index("traces_of_batch", traces.c.till, traces.c.batch)

# ---- the ledger ------------------------------------------------------------

transfers = Table(
    "transfers",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("attempt", String(36), nullable=False, index=True),
    Column("what", String(20), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("transfer", String(36), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("account", String(80), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
)
Index("entries_of_account", entries.c.account, entries.c.currency)

# Customers only: a merchant's row would be written by every sale of the shop.
balances = Table(
    "balances",
    metadata,
    Column("account", String(80), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("amount_minor", BigInteger, nullable=False),
)
