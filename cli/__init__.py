"""`ludo-proxy`: what an operator types."""
