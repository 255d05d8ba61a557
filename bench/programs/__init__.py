"""What runs as a process of its own during a benchmark."""
