"""People: the identity vault and the access log."""
