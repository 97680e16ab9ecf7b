"""The notebook and the terminal: magics, pictures of graphs, and the command `chalkgrad`."""
