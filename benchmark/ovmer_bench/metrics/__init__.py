"""Labels -> statistics of each clip -> scores, resampling, comparisons, signatures."""
