"""Values: codes, ranges, the registry and the difference of two registries.  Frozen, pure, no I/O."""
