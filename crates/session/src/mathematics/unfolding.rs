//! Windows of images as columns, and their sums.

use stepwell_optim::fallible::with_capacity;
use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::operations::Window;
use crate::engine::primitives::Primitive;
use crate::mathematics::calculation::Calculation;
use crate::mathematics::convolution::product_of;
use crate::mathematics::padding::{Fill, pad};
use crate::mathematics::tensor_math::TensorMath;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// Windows of the elements of a kernel.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    pub(crate) kernel: [usize; 2],
    pub(crate) window: Window,
}

impl Columns {
    /// The number of elements of the kernel.
    fn elements(&self) -> usize {
        self.kernel[0].saturating_mul(self.kernel[1])
    }

    /// The sizes of the padded image.
    fn padded(&self, size: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|i| size[i].saturating_add(2 * self.window.padding[i]))
    }

    fn amounts(&self) -> [i64; 4] {
        let [rows, columns] = self.window.padding.map(|amount| amount as i64);
        [columns, columns, rows, rows]
    }

    /// For each element of the kernel, its index in the padded image at each position.
    fn indices(&self, size: [usize; 2], positions: [usize; 2]) -> Result<Vec<i64>> {
        let Window { stride, dilation, .. } = self.window;
        let width = self.padded(size)[1];
        let mut indices = with_capacity(self.elements().saturating_mul(positions[0].saturating_mul(positions[1])))?;
        for element in 0..self.elements() {
            let (down, across) = (element / self.kernel[1] * dilation[0], element % self.kernel[1] * dilation[1]);
            for y in 0..positions[0] {
                let start = (y * stride[0] + down) * width + across;
                indices.extend((0..positions[1]).map(|x| (start + x * stride[1]) as i64));
            }
        }
        Ok(indices)
    }
}

/// The windows of images `[n, c, h, w]`, or `[c, h, w]`, as columns `[n, c * kh * kw, positions]`.
pub(crate) fn unfold<E: Engine>(engine: &E, x: &E::Tensor, columns: &Columns) -> Result<E::Tensor> {
    let shape = engine.shape(x)?;
    let fitting = match shape[..] {
        [.., c, h, w] if shape.len() <= 4 && ![c, h, w].contains(&0) => {
            columns.window.positions(columns.kernel, [h, w])
        }
        _ => None,
    };
    let (Some(positions), [leading @ .., height, width]) = (fitting, &shape[..]) else {
        let kernel = product_of(&columns.kernel);
        let message =
            format_args!("expected input of shape [n, c, h, w] that a {kernel} kernel fits into, given {shape:?}");
        return Err(Error::new(Code::Shape, message));
    };
    let (size, count) = ([*height, *width], positions[0].saturating_mul(positions[1]));
    let mut folded = leading.to_vec();
    if let Some(channels) = folded.last_mut() {
        *channels = channels.saturating_mul(columns.elements());
    }
    folded.push(count);
    engine.check_memory(&[&[1], &folded[..]].concat(), engine.dtype(x)?)?;
    engine.check_memory(&[columns.elements(), count], Dtype::Long)?;
    let c = Calculation::new(engine);
    let padded = c.output(pad(engine, x, &columns.amounts(), Fill::Constant(0.0)));
    let flat = columns.padded(size).iter().product();
    let padded = c.with_shape(padded, &[leading, &[flat]].concat());
    let indices = columns.indices(size, positions)?;
    let count = indices.len();
    let indices = c.tensor(padded, Data::Long(indices), &[count]);
    c.result(c.with_shape(c.primitive(Primitive::IndexSelect(leading.len()), &[padded, indices]), &folded))
}

/// The sum of columns `[n, c * kh * kw, positions]`, or without `n`, at the elements of images of this size: `[n, c, h, w]`.
pub(crate) fn fold<E: Engine>(engine: &E, x: &E::Tensor, size: [usize; 2], columns: &Columns) -> Result<E::Tensor> {
    let shape = engine.shape(x)?;
    let positions = columns.window.positions(columns.kernel, size);
    let elements = columns.elements();
    let (Some(positions), [leading @ .., rows, count]) = (positions, &shape[..]) else {
        return Err(misfit(columns, size, "positions", &shape));
    };
    let expected = positions[0].saturating_mul(positions[1]);
    if leading.len() > 1 || *rows == 0 || rows % elements != 0 || *count != expected {
        return Err(misfit(columns, size, &expected.to_string(), &shape));
    }
    let channels = rows / elements;
    let padded = columns.padded(size);
    let flat = padded[0].saturating_mul(padded[1]);
    let images = [leading, &[channels, flat]].concat();
    engine.check_memory(&[&[1], &images[..]].concat(), engine.dtype(x)?)?;
    let spread = [leading, &[channels, elements * count]].concat();
    engine.check_memory(&spread, Dtype::Long)?;
    let c = Calculation::new(engine);
    let x = c.input(x);
    let indices = columns.indices(size, positions)?;
    let length = indices.len();
    let indices = c.expand(c.tensor(x, Data::Long(indices), &[length]), &spread);
    let zeros = c.expand(c.number(x, 0.0), &images);
    let sums = c.primitive(Primitive::ScatterAdd(leading.len() + 1), &[zeros, indices, c.with_shape(x, &spread)]);
    let sums = c.result(c.with_shape(sums, &[leading, &[channels], &padded].concat()))?;
    pad(engine, &sums, &columns.amounts().map(|amount| -amount), Fill::Constant(0.0))
}

fn misfit(columns: &Columns, size: [usize; 2], positions: &str, given: &[usize]) -> Error {
    let (kernel, elements) = (product_of(&columns.kernel), columns.elements());
    let message = format_args!(
        "expected input of shape [n, c * {elements}, {positions}] for a {kernel} kernel and images of {size:?}, given {given:?}"
    );
    Error::new(Code::Shape, message)
}
