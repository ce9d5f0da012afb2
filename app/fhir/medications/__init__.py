"""Medication records: products, dosage, courses, draft orders."""
