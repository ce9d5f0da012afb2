"""A second evaluator of criteria, to which the engine is compared: `python -m tests.oracle --sets 100000`.

Written from docs/guideline-language.md alone, by somebody who had not read app/engine/criteria.py. It is plain and slow
on purpose; do not make it share code with the engine.
"""
