"""What a card and the till said to each other, kept to explain a payment afterwards."""
