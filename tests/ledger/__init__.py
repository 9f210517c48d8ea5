"""The ledger and its archiver, on both databases."""
