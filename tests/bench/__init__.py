"""Speed as ratios in one run: ours against the barest thing that does the same, side by side (`make bench`)."""
