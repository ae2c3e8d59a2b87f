"""Several trainings in one job, for the jobs that ask how a configuration does rather than for a model."""
