"""The language: text written as on the board, parsed and lowered to the engine's graph."""
