"""Filters of the server's lists."""
