"""What works here, what does not, and the step that mends it.

One place decides; the command line and the screen only show its lines. The
devices' own inspections are the drivers'.
"""
