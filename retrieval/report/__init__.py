"""The report: table, figures and one self-contained page."""
