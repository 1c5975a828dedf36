"""The rules of a book, by what they look at. Each takes a Book and yields Findings; none raises."""
