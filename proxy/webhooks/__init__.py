"""The receiver: no forged event in, no acknowledged event lost."""
