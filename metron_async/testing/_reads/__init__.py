"""Responses to reads: rows, details, pages."""
