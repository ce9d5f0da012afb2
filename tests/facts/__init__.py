"""Facts about the tables of the guideline data that do not come from them: molar masses, the words of the sources,
published equivalents. Each is a function that says what is wrong; the tests and the mutation tool call the same ones.
"""
