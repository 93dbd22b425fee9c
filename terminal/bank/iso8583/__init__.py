"""ISO 8583:1987, for banks that do not speak the signed link. Uncertified.

From the wire up: framing, fields, codec, transactions. Nothing here opens,
sends or waits.
"""
