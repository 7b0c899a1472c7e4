"""Registries of well-known libraries, to be included: ``include = ["extreg.packs.numpy"]``.  See docs/packs.md.

Each is a package that holds a registry.toml and no code.
"""
