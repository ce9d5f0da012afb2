"""The outside contract over HTTP; the docstring of each test begins with the ids of the CDS Hooks checklist."""
