"""The figures of the house: what a part can do, measured in this run. README.md says how to read them."""
