"""Networks from one sequence to another: the decoder with its attention, decoding in the graph, and the graphs."""
