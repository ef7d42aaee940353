"""How deploying onto the embedded AWS grows: with environments side by side, and with many resources."""
