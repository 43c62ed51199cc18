"""The folder of a run: numbers, log, page."""
