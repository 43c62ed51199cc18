"""Corpora: a registry of them, importers of their official files, and a store."""
