"""The uncertain world of a book: its numbers as laws of chance, how they depend on each other, and who draws them."""
