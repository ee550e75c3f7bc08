"""What may leave this machine: one decision for every exit, closed by default."""
