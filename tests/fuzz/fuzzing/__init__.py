"""Damaged and hostile inputs for every reader and every artifact: made from good ones, read in processes of their own."""
