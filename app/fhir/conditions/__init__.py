"""Conditions and fractures: records to facts."""
