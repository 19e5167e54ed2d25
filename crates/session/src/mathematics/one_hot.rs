//! Classes as rows of zeros with a 1.

use stepwell_optim::Result;
use stepwell_optim::fallible::collected;

use crate::engine::Engine;
use crate::engine::primitives::{Compare, Primitive};
use crate::mathematics::calculation::Calculation;
use crate::mathematics::tensor_math::TensorMath;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// Classes `[*]`, a `long`, as `[*, n]` of dtype `bool`: true at the class.
///
/// # Errors
/// `ERR_ARGUMENT` for a class that is not from 0 to n - 1.
pub(crate) fn one_hot<E: Engine>(engine: &E, classes: &E::Tensor, n: usize) -> Result<E::Tensor> {
    let mut shape = engine.shape(classes)?;
    let dims = shape.len();
    shape.push(n);
    engine.check_memory(&shape, Dtype::Long)?;
    // Names of classes alone may take more memory than a result without elements.
    engine.check_memory(&[n], Dtype::Long)?;
    shape[dims] = 1;
    let names = Data::Long(collected((0..n).map(|i| i as i64))?);
    let c = Calculation::new(engine);
    let classes = c.input(classes);
    let names = c.tensor(classes, names, &[n]);
    // A selection fails for a class that has no name.
    let count = shape.iter().product();
    let found = c.primitive(Primitive::IndexSelect(0), &[names, c.with_shape(classes, &[count])]);
    c.result(c.checked_compare(Compare::Eq, c.with_shape(found, &shape), names))
}
