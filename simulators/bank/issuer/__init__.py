"""The cards' bank: reads the card, proves its cryptogram, decides."""
