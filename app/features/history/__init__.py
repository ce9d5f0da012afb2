"""Features of diagnoses, stated findings, family and lifestyle."""
