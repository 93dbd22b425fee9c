"""Puts the parts together: the one room that sees every package."""
