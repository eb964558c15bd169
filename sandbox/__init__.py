"""A sandbox LudoKingAPI: plays games, answers upstream's paths, delivers signed webhooks."""
