//! Attention, and what consists of it.

pub(crate) mod blocks;
pub(crate) mod heads;
pub(crate) mod masks;
pub(crate) mod multihead;
pub(crate) mod self_attention;
pub(crate) mod stacks;
