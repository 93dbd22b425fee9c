"""The payment: its states, its money, its memory."""
