"""Data and its schema: shops, applications and limits, CA keys, currencies."""

from config.errors import ConfigError
from config.loader import BENCH, load_currencies, load_payment_codes, load_settings
from config.schema import Settings

__all__ = [
    "BENCH",
    "ConfigError",
    "Settings",
    "load_currencies",
    "load_payment_codes",
    "load_settings",
]
