"""Notices: messages on their way to people, sent after the commit that caused them."""
