"""Tests of what speaks with upstream."""
