"""The ledger: what is kept for years, each entry chained to the one before. The only room that speaks SQL."""
