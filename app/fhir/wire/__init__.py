"""FHIR R4 data types as typed structs: the members that are read, as they are sent."""
