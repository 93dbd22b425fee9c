"""Devices. They know bytes and images, not payments."""
