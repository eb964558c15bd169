"""The proof: every part is killed at random under load, and nothing is lost, doubled or reordered.

    make chaos ROUNDS=30 SEED=7

Reading order: `plan` (who is struck when, from the seed alone) · `deployment` (the real processes)
· `ledger` (every 2xx, noted outside of them) · `watching` (a client of the relay through it all) ·
`outcomes` (what became of each acknowledged event) · `rounds` (one round) · `report`.
"""
