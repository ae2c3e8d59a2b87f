"""The size that a sliding window leaves of one side of its input (Dumoulin and Visin 2016, A guide to
convolution arithmetic for deep learning).

n: size of the input, f: of the kernel, p: padding at each end, s: stride, d: dilation.
"""


def slid(n: int, f: int, s: int = 1, p: int = 0, d: int = 1) -> int:
    """⌊(n + 2p − d(f − 1) − 1) / s⌋ + 1, of a convolution or pooling; 0 or less if the kernel does not fit."""
    return (n + 2 * p - d * (f - 1) - 1) // s + 1


def transposed(n: int, f: int, s: int = 1, p: int = 0, d: int = 1, output_padding: int = 0) -> int:
    """(n − 1)s − 2p + d(f − 1) + 1 + output padding, of a transposed convolution.

    A window of stride s slides over s sizes to one result: the output padding says which of them is meant.
    """
    return (n - 1) * s - 2 * p + d * (f - 1) + 1 + output_padding
