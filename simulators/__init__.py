"""The other side of each wire, for use with or without the till."""
