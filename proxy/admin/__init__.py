"""`/admin`: what operators see and do, behind a token of its own; without one it is not there.

A part of it is a module with a tuple of its route handlers, which `routes.py` lists; handlers take
what they need by name from `proxy.app`.
"""
