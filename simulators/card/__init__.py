"""A card that answers APDUs: bytes in; bytes, a tear or a delay out."""
