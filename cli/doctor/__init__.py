"""`ludo-proxy doctor`: looks at every part of a deployment and says what to do."""
