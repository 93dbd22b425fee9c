"""What can be wrong in a shop's files. Messages name the file and the key."""


class ConfigError(Exception):
    """A file cannot be used; the message says which, where, and why."""
