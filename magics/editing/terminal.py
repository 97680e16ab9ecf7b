def colour_in(shell, magics): return lambda: None
