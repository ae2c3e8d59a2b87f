"""Studies: a search and its trials, each a job.

A search is a row that no worker holds while its trials run (`course`), so that there is nothing of it to be killed:
whatever ends a trial moves its search on in the same transaction.
"""
