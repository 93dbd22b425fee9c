"""Ways for a simulated card to meet a reader."""
