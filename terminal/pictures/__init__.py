"""Codes and camera pictures, drawn and described."""
