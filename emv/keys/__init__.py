"""Keys between a terminal and its host: PINs, message codes, and how keys travel.

The till itself enciphers no PIN: that happens inside a PIN pad.
"""
