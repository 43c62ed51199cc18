"""Warm-up, cold start and GRPO."""
