"""The proof that tests hold the promises of docs/security.md: `python -m tests.guards`."""
