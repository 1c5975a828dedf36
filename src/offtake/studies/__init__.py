"""Many runs, or a run and a question: what moves a number, the answers of a book, scenarios side by side."""
