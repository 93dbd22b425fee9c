"""From a scheme's key to a card's, both exponents, beside the bare powers."""

from __future__ import annotations

import datetime

from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.harness import Bar, Row, in_turns, row
from emv.authentication import PublicKey, recover_icc_key, recover_issuer_key
from simulators.card.certificates import SigningKey, certify_card, certify_issuer

EXPONENTS = (3, 65537)
CA_BITS, ISSUER_BITS, ICC_BITS = 1984, 1408, 1024
"""As long as the longest scheme keys; each fits into the next certificate but for a remainder."""
PAN, EXPIRES = "4761739001010119", "1249"
STATIC_DATA = bytes(120)
TODAY = datetime.date(2026, 11, 24)


def measure() -> list[Row]:
    """Open two certificates and check all that is checked of them."""
    return [_measure(exponent) for exponent in EXPONENTS]


def _measure(exponent: int) -> Row:
    ca, issuer, icc = (_key(bits, exponent) for bits in (CA_BITS, ISSUER_BITS, ICC_BITS))
    above = certify_issuer(ca, issuer, PAN[:6], EXPIRES, 1)
    below = certify_card(issuer, icc, PAN, EXPIRES, 2, STATIC_DATA)
    scheme = PublicKey(ca.modulus, exponent, ca.length)

    def chain() -> PublicKey:
        opened = recover_issuer_key(
            above.certificate, above.remainder, above.exponent, scheme, PAN, TODAY
        )
        return recover_icc_key(
            below.certificate, below.remainder, below.exponent, opened, STATIC_DATA, PAN, TODAY
        )

    if chain().modulus != icc.modulus:
        raise ValueError("the chain does not end at the card's key")
    first, second = (int.from_bytes(one.certificate, "big") for one in (above, below))

    def powers() -> None:
        pow(first, exponent, ca.modulus)
        pow(second, exponent, issuer.modulus)

    samples = in_turns(chain, powers, rounds=21, batch=50)
    return row(
        f"certificates from scheme to card, e = {exponent}",
        samples.scaled(1e3),
        "ms",
        "the two powers alone",
        Bar(2, is_ratio=True),
    )


def _key(bits: int, exponent: int) -> SigningKey:
    numbers = rsa.generate_private_key(exponent, bits).private_numbers()
    return SigningKey(
        modulus=numbers.public_numbers.n,
        exponent=exponent,
        p=numbers.p,
        q=numbers.q,
        d_p=numbers.dmp1,
        d_q=numbers.dmq1,
        q_inverse=numbers.iqmp,
    )
