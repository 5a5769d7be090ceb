"""What runs in every backend's interpreter: Python 3.6 syntax and library, NumPy the only dependency."""
