"""One conversation per card scheme."""
