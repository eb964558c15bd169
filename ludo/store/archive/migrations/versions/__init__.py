"""One file a step; the first part of its name is its place in the order."""
