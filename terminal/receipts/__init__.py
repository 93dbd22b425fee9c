"""Receipts as lines of text."""
