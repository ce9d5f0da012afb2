"""Mutated charts: whatever arrives, the service answers, and every card it gives is a valid one.

2,000 charts in the test suite; for more: `python -m tests.fuzz --charts 100000 --seed 7`.
"""
