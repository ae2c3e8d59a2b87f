"""Why a network does not learn: checks with numbers, a verdict each and what to try.

Source: Karpathy 2019, A recipe for training neural networks; Goodfellow, Bengio and Courville 2016, Deep Learning,
section 11.5.
"""
