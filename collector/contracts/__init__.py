"""What a connection's messages must look like (contracts), and what they look like that they did not before (drift)."""
