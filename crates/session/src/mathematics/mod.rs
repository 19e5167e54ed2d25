//! Compositions of primitives that operations and layers share.

pub(crate) mod activation;
pub(crate) mod bilinear;
pub(crate) mod calculation;
pub(crate) mod convolution;
pub(crate) mod distance;
pub(crate) mod fractional_pooling;
pub(crate) mod interpolation;
pub(crate) mod join;
pub(crate) mod matrix;
pub(crate) mod norm;
pub(crate) mod normalization;
pub(crate) mod one_hot;
pub(crate) mod padding;
pub(crate) mod pooling;
pub(crate) mod shape;
pub(crate) mod tensor_math;
pub(crate) mod unfolding;
