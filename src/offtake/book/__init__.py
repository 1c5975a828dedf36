"""The book: text <-> terms, the grammar of numbers, and the rules that find faults."""
