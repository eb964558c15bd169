"""The facade's paths: what each takes, and which service answers."""
