"""Features of drug use, exposure and draft orders."""
