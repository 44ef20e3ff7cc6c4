"""What the commands of the command line do; cli.py says only how they are called."""
