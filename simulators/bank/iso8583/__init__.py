"""The bank's other door: ISO 8583:1987, for tills that do not speak the signed link."""
