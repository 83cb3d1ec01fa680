"""Studies: questions about papers and their answers. Nothing imports from here but the command line."""
