"""Lists of the API: pages, full objects, and many objects by id."""
