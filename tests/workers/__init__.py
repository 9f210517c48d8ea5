"""Those that owe somebody something: keys, carriers, the drain, wake-ups and the keeper's turn."""
