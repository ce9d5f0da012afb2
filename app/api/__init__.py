"""HTTP: routes, limits, errors as OperationOutcome, health, metrics, the page for people. No clinical logic."""
