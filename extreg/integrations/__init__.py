"""What other tools load of us: pytest and IPython."""
