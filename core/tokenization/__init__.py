"""Encode texts as token ids, decode ids, and show each stage in between."""
