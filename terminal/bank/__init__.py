"""The link to the bank: messages, signatures, trust."""
