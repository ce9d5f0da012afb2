"""Every outgoing call: addresses, guarded connections, the FHIR client."""
