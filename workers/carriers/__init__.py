"""How a message leaves this house: one module for each carrier. What a provider answers ends here, as a code."""
