"""Faults, by kind; :mod:`metron_async.testing.faults` puts them together."""
