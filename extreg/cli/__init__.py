"""The command line: read, call the library, print, return an exit code."""
