"""What is kept in Redis, and the only door to it."""
