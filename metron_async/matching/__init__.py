"""From what is known of a comic to its issue."""
