"""Osteon: clinical decision support for osteoporosis over CDS Hooks."""

__version__ = "0.1.0"
