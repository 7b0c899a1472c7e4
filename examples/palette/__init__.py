"""A palette and its users: reducers, versioned state, a private pickler and extension codes in one small program.

Run it with ``python -m palette`` in the folder above.
"""
