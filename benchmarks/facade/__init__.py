"""The facade under load, beside what others would put in its place."""
