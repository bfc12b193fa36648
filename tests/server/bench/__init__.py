"""A real dislodged on loopback, people who sign in to it, and agents made of Python."""
