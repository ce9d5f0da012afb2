"""Mutation testing of the guideline data: `python -m tests.mutation`.

Each mutant is one small change to the data (a limit moved, an exclusion removed, a dose times ten). It is killed where
the files with it are refused at start, or a clinical case or a table of independent facts fails.
"""
