"""The registry: the value (frozen, pure) with its codes and ranges, and the file that it stands in."""
