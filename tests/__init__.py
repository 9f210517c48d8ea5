"""Short stories in the house's words, mirroring the tree. Nothing outside this folder knows that it is under test."""
