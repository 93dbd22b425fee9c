"""The simulated phones, one TOML file each. simulators.card.profile reads them."""
