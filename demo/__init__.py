"""Starts the emulated portal and the app together, so that the product can be seen at once."""
