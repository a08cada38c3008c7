"""When to use each encoder: the advice of docs/spaces.md, one clause for each name of the registry."""

from __future__ import annotations

#: Each completes the sentence "Use it when ...".
WHEN_TO_USE: dict[str, str] = {
    "bow": "another stage needs word counts: the input of topic models and of autoencoders on texts",
    "tfidf": "you want a simple word-based baseline, or the input of `lsa`",
    "bm25": "people search your texts with words: the first space to try, and the one that others must beat",
    "sbert": "queries and texts say the same in different words, and a sentence model is on your machine",
    "tsdae": "no sentence model fits your texts, and you have no labelled pairs to train one",
    "pixels": "your items are pictures: every other space of pictures starts here or is compared with it",
    "patch-kmeans": "pictures show objects at different positions, and you want strong features without a network",
    "vectors": "your vectors were made elsewhere and you want to search them or reduce them",
    "pca": "you want a smaller dense code that is fast to fit and easy to explain: the first projection to try",
    "lsa": "you want a dense code of texts that finds related words: `tfidf+lsa:128`",
    "random-projection": "you need a baseline, or a projection that costs almost nothing to fit",
    "select": "the components themselves must stay readable: it keeps the best ones as they are",
    "ica": "your data are mixtures of independent sources",
    "nmf": "values are counts or brightness and you want parts that add up; entries may be missing",
    "sparse-coding": "you want each item as a sum of a few patterns",
    "mf": "your data are ratings with missing entries: `nearby recommend` uses it",
    "binarize": "memory matters most: one bit for each component, here after `pca`, `lsa` or an autoencoder",
    "kmeans": "you want groups, or distances to group centres as a code",
    "hac": "you want groups of any shape and a tree that shows how they join; up to some thousand items",
    "gaussian": "you look for outliers, and one bell shape describes the data",
    "mixture": "you look for outliers or soft groups, and several bell shapes describe the data",
    "kernel-density": "you look for outliers in a few dimensions and know nothing about the shape of the data",
    "nearest-density": "you look for outliers, and the density differs from region to region",
    "linear-ae": "you want to see that a linear autoencoder learns the space of `pca`; `pca` is faster",
    "deep-ae": "a short dense code must keep more than `pca` of the same width, and you can train for minutes",
    "denoising-ae": "items are noisy: it cleans them, and its layers are good features",
    "conv-ae": "you want short codes of pictures that reconstruct well",
    "unet-ae": "you clean or restore pictures; details pass beside the code, so that the code alone reconstructs less",
    "fpn-ae": "you restore pictures and want a code of each level of detail",
    "vae": "you want to make new items or interpolate between items",
    "semantic-hash": "you need learnt bits: short codes for millions of items, or a shortlist to re-rank",
    "pretrained-dnn": "some items have labels, many have none, and you want a classifier with its space",
}
