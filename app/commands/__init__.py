"""The command line: serve, demo, explain, check and the like."""
