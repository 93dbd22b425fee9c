"""The simulated chip cards, one TOML file each. simulators.card.contact.profile reads them."""
