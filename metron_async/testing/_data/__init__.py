"""The server's data: a generated catalogue, and what accounts own."""
