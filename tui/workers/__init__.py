"""Threads that work for the console; they only post messages."""
