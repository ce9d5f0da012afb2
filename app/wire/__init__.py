"""The FHIR JSON that the service reads: one typed model of exactly these members, decoded once and read by attribute.

A member that is not declared here is never looked at. `docs/what-is-read.md` is generated from these types. All
members are optional: `None` means absent or null. Member names are those of R4; those of STU3 and R5 are marked so.
"""
