"""Reading charts: FHIR JSON, as it comes, to the typed facts of `app.chart`."""
