from inspect import cleandoc

import pytest

from retrieval.corpora.docstrings import split_see_also

NUMPYDOC = """
Return the norm.

See Also
--------
scipy.linalg.norm : Similar function in SciPy,
    not `numpy.dot`.
vecnorm, matnorm
:func:`~numpy.linalg.svd` : Decomposition.
`cond`: Condition.

Notes
-----
Norms are many.
"""
GOOGLE = """
Save it.

See Also:
    :class:`torch.nn.Module` is saved so
    :ref:`saving` tells more

Args:
    x: what
"""
DIRECTIVE_WITH_TEXT_BEHIND = """
Chunk it.

.. seealso:: :func:`torch.tensor_split`

    and :meth:`torch.Tensor.chunk`

If the size is odd, so be it.
"""


@pytest.mark.parametrize(
    ("docstring", "text", "names"),
    [
        (
            NUMPYDOC,
            "Return the norm.\n\nNotes\n-----\nNorms are many.",
            ["scipy.linalg.norm", "vecnorm", "matnorm", "numpy.linalg.svd", "cond"],
        ),
        (GOOGLE, "Save it.\n\nArgs:\n    x: what", ["torch.nn.Module"]),
        (
            DIRECTIVE_WITH_TEXT_BEHIND,
            "Chunk it.\n\nIf the size is odd, so be it.",
            ["torch.tensor_split", "torch.Tensor.chunk"],
        ),
        ("End.\n\nSee also\n________\ntorch.cat\n    Joins.", "End.", ["torch.cat"]),
        ("Do. See also :func:`os.walk`, :func:`os.fwalk`. Done.", "Do. Done.", ["os.walk", "os.fwalk"]),
        ("Do. See also `numpy.percentile` for\na figure.\n\nMore.", "Do.\n\nMore.", ["numpy.percentile"]),
        ("A void dtype (one of many, see also :ref:`x (y)`). Ends.", "A void dtype (one of many). Ends.", []),
        ("Nothing to see here.", "Nothing to see here.", []),
        ("", "", []),
    ],
)
def test_styles(docstring, text, names):
    assert split_see_also(cleandoc(docstring)) == (text, names)


def test_what_a_description_mentions_is_no_link():
    text = "Mean.\n\nSee Also\n--------\nmedian : Unlike\n    :func:`numpy.mean`, robust."
    assert split_see_also(text) == ("Mean.", ["median"])


def test_prose_in_the_section_links_by_its_roles():
    text = "Mean.\n\nSee Also\n--------\nThe robust :func:`numpy.median` is another.\n"
    assert split_see_also(text) == ("Mean.", ["numpy.median"])
