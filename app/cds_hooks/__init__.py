"""The vocabulary of the CDS Hooks standard: hooks, requests, prefetch, discovery, responses, feedback.

Everything here follows the standard (2.0.1, with `version` and OperationOutcome errors of the 3.0 ballot) and knows
nothing of osteoporosis except the ids and descriptions of its services and the kinds of records.
"""
