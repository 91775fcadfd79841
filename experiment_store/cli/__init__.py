"""The command line ``experiment-store``, with the extra ``cli``: Typer and Rich.

docs/command-line.md says what it prints and how it ends; `__main__` is the program.
"""
