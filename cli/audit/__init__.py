"""`ludo-proxy audit`: a file of webhook bodies, judged by the clauses."""
