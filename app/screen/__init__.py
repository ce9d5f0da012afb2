"""Population screening: the pipeline of the service over exports of FHIR data, patient by patient."""
