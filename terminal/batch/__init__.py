"""The close of day: what is closed together, what it sums up to, and the bank's word on it."""
