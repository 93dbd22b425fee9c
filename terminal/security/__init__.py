"""Keys and certificates of the till."""
