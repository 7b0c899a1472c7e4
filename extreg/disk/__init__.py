"""Files on disk: one writer at a time, replaced in one step, with all that they had."""
