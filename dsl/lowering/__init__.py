"""Lowering: from the syntax tree to nodes of the engine's graph."""
