"""`ludo-proxy conformance`: whether a relay speaks `ludorelay.v1`, whoever wrote it.

`shapes` and `cases` are the contract (design section 8) as data; `talking` holds a relay to them.
"""
