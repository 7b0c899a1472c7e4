"""Where pickles are kept: files, archives and databases, and what is in them."""
