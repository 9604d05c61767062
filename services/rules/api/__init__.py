"""What rules answer over HTTP; status codes are chosen here and nowhere else."""
