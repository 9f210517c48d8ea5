"""The live queue: the only room that speaks Redis. Every move is one function call, whole or not at all."""
