"""The only writers and readers of PostgreSQL."""
