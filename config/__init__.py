"""Data and its schema: shops, applications and limits, CA keys, currencies."""
