"""The core: one function over all payments, and what it keeps in mind."""
