"""Rule packs: published, dated data that turn facts into measures."""
