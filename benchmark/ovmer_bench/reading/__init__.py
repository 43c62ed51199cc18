"""Files in: records, strict JSON, CSV tables, and pickles without running them."""
