"""Population screening: exports, equality with the cards, privacy, stopping and going on."""
