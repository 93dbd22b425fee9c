"""A bank: its rules, its ledger, its door."""
