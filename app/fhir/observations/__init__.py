"""Observations and densitometry: records to facts."""
