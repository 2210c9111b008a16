"""Rule packs: upload, check, preview, publish."""
