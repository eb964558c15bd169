"""The proxy process: the facade, the receiver and the relay behind one door."""
