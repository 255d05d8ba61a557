"""What is held of a person in both databases, found and erased."""
