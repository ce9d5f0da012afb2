"""Clinical cases in YAML: what a clinician would write down, as requests, and what must come of them."""
