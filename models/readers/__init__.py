"""Readers of uploaded and built-in data sets: each turns one format into arrays on disk, torch not needed."""
