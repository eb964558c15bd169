"""Everything that is said to LudoKingAPI, or comes from it."""
