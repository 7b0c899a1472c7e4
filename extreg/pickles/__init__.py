"""Bytes: pickle bytes to findings, bytes to bytes.  Pure; nothing here executes a pickle."""
