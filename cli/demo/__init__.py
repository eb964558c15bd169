"""`ludo-proxy demo`: every part of the system on one machine, playing."""
