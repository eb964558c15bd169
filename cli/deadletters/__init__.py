"""`ludo-proxy deadletters`: events that were given up, looked at, redriven or discarded."""
