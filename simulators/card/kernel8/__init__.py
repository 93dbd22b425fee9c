"""Cards of kernel 8: their half of the channel, ECC certificates, cryptograms under AES.

Source: EMV Contactless Books C-8 and E.
"""
