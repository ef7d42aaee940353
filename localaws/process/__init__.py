"""Starting the server process, and ending it with its owner."""
