"""The jar: old pickles kept as tests, each with a record of what it says and of what it became."""
