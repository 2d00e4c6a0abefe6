"""Makes the word vectors that the package ships, from a sentence encoder. Not needed to use the library."""
