"""Card data and logs of others, read for people: what `till decode` can do."""
