"""Who works at the till, what each may do, and the log of who did what."""
