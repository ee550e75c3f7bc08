"""Corrected mode, the default: each family of tasks by the metric that fits it.

text        free text: BLEU, BLEU-1, chrF, ROUGE
choices     multiple choice: the letter that an answer settles on
labels      closed sets of labels, one or several to an answer
reading     finding names and verdicts in answers, for choices and labels
entities    lists of names, phrases, doses and demographics
statistics  intervals and paired tests, the same for all

Answers that are blank score 0, and so do those in which no answer is found; both are counted.
"""
