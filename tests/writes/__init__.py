"""Everything that writes, through the public API."""
