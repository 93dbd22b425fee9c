"""What the bank tells a till beside its payments: what to work by, fetched between sales."""
