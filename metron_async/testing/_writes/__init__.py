"""Writes: what they carry, how it is validated, what they change."""
