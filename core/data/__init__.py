"""Labelled reviews, and the splits and encoded examples made of them."""
