"""The keyring: keys with one purpose, and the trust list."""
