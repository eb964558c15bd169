"""The archive: games that are over, in SQL, with everything that led to their end."""
