def inspect_in(shell, magics): return lambda: None
