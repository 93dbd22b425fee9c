"""Keys of PIN entry: how a PIN is enciphered, and how its key is made for one use.

The till itself calls none of this: PINs are enciphered inside a PIN pad.
"""
