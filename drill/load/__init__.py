"""The payment load: generator, client, connections, retry budget."""
