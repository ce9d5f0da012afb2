"""The guideline language: schema, loading, three-valued logic, findings with evidence."""
