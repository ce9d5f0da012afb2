"""From bytes to records: the only place that knows of partial decoding."""
