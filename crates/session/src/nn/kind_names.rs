//! Other names of kinds: the k-api's where it says another word than PyTorch, or a word for each number of dimensions.

/// Names of kinds of layers, each with the kind that it stands for.
pub(crate) const LAYER_NAMES: &[(&str, &str)] = &[
    ("drop", "dropout"),
    ("embed", "embedding"),
    ("batchnorm1d", "batchnorm"),
    ("batchnorm2d", "batchnorm"),
    ("batchnorm3d", "batchnorm"),
    ("instancenorm1d", "instancenorm"),
    ("instancenorm2d", "instancenorm"),
    ("instancenorm3d", "instancenorm"),
];

/// Names of losses, each with the loss that it stands for.
pub(crate) const LOSS_NAMES: &[(&str, &str)] = &[("bcelogits", "bcewithlogits")];

/// The kind that a name stands for: the name itself, unless it is another name of one.
pub(crate) fn kind_of<'a>(names: &[(&'a str, &'a str)], name: &'a str) -> &'a str {
    names.iter().find(|(other, _)| *other == name).map_or(name, |(_, kind)| kind)
}
