"""The simulated cards, one TOML file each. simulators.card.profile reads them."""
