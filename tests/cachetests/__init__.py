"""The suite `http-cache-tests` against the facade's cache, in a profile made for it."""
