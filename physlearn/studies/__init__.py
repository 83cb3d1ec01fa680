"""Studies: questions about papers, and their answers. Only the command line imports them."""
