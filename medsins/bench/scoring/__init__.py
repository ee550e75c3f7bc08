"""Scores of a model's answers.

predictions.py  files of predictions, beside the questions
published/      the published scores, bit for bit, with the faults of the published code
corrected/      the scores as they should be
task_scores.py  scores of a task, averages, one model against another
grading.py      `score`: predictions to a results file
results.py      results files
segmentation.py Chinese and Japanese words; libraries.py loads what the extra `bench` installs
"""
