"""What the rows of a build are like."""
