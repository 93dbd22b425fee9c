"""The counter: whatever can read a customer's card or code, armed together."""
