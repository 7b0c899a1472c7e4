"""Edges: files, locks, processes, importing user modules.  All I/O lives here."""
