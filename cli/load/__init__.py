"""`ludo-proxy load`: many clients on a relay, and what they saw."""
