"""Kernel 8: a secure channel, local authentication and cryptograms under AES.

So far its channel is here.

Source: EMV Contactless Books C-8 and E.
"""
