"""The contest: one folder per framework and way of writing it, each owned by those who know it best."""
