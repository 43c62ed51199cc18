"""Clips, what is asked about them, and their media as tensors."""
