"""What can be had without a network: guesses, classical learners and an automated search, on a train job's rows."""
