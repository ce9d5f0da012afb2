"""Features of laboratory values."""
