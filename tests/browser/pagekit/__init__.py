"""What the tests of the page share: a library of photos, a server, and watched tabs."""
