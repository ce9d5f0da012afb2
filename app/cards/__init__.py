"""Advice -> cards in the reader's language."""
