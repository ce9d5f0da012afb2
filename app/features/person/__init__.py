"""Features of the person: demographics and body measures."""
