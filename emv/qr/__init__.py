"""Payment codes: the shop's, the customer's, and plain digits."""
