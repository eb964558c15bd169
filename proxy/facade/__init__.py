"""The facade: upstream's own paths, without upstream's limits (design section 9).

Reading order: `policy` (what is cached, how long) · `reading` and `fetching` (the cache, driven) ·
`states` (games, from the mirror) · `acting`, `refusal` (pure) · `writing` · `routes/`.
"""
