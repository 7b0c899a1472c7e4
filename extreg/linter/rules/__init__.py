"""The rules: plain functions from a context to findings, each named and documented as the rule is."""
