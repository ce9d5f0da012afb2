"""The page for people at `/`: its built files, what it can choose, and the shipped patients.

The source of the page is in `web/`; `make web` builds it into `app/_static`. The page calls the services like any
client, with `explain` (docs/contract.md, section 4); nothing here reads a chart.
"""
