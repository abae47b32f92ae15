"""Model files read without the libraries that run them, every length checked against the file."""
