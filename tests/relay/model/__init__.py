"""A world in which a whole deployment of the relay can be run by seed, on a clock of its own.

Real: `Relay` with its sessions, rooms, hub, reader and auditor, and the client's `Conversation`.
Modelled: Redis (`shelf`), the wires between clients and relays (`wires`), and time (`clock`).
"""
