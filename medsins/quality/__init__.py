"""What the rows of a build are like.

contamination.py  test inputs of the benchmark that stand in training inputs
"""
