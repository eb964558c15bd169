"""The workers: they make the mirrors true."""
