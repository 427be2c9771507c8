"""What peers.py is made of: the load, the servers that are measured, and how the figures are shown."""
