"""One file per command, loaded when used."""
