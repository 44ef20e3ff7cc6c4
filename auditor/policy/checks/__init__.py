"""The templates that rules of packs fill in: one file, one CHECK each."""
