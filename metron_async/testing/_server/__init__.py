"""The server: one request from the socket to the decision, and back."""
