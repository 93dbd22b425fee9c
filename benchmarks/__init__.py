"""The figures of the till, each measured beside its peer in the same run."""
