"""How a project's programs start, as far as their sources tell: where they install, and what starts processes."""
