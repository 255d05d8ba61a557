"""Web pages of a worker."""
