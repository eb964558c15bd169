"""`ludo-proxy games`: games wherever they are, hot or archived."""
