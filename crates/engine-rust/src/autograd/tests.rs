//! An operation with several outputs, in graphs that use some or all of them.

use stepwell_optim::Result;

use crate::autograd::backward::{BackwardContext, ErasedBackward, Give};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::elements::element::Element;

/// One input in three parts; the middle one is `long`. The backward joins the gradients of the outer parts.
struct Parts(usize);

fn parts(k: &Autograd, x: &Tensor) -> Vec<Tensor> {
    let storage = x.storage();
    let buffer = storage.read().unwrap();
    let (left, right) = f32::slice(&buffer).unwrap().split_at(x.len() / 2);
    let storages = [
        Buffer::Float(k.budget.copy(left).unwrap()),
        Buffer::Long(k.budget.filled(3, 7).unwrap()),
        Buffer::Float(k.budget.copy(right).unwrap()),
    ]
    .map(Storage::new);
    let shapes = [&[left.len()][..], &[3], &[1, right.len()]];
    let outputs = shapes.into_iter().zip(storages).collect::<Vec<_>>();
    k.record_outputs(&outputs, &[Some(x)], Box::new(Parts(left.len())), Vec::new()).unwrap()
}

impl ErasedBackward for Parts {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        assert_eq!(gradients.len(), 3);
        assert!(gradients[1].is_none() && gradients.iter().any(Option::is_some));
        let part = |index: usize| match &gradients[index] {
            Some(gradient) => f32::slice(gradient).unwrap().to_vec(),
            None => vec![0.0; self.0],
        };
        give(0, Buffer::Float(context.budget.copy(&[part(0), part(2)].concat())?))
    }
}

/// The sum of all inputs, each times its position from 1.
struct WeightedSum(Vec<usize>);

fn weighted_sum(k: &Autograd, inputs: &[&Tensor]) -> Tensor {
    let mut total = 0.0;
    for (position, input) in inputs.iter().enumerate() {
        let storage = input.storage();
        total += (position + 1) as f32 * f32::slice(&storage.read().unwrap()).unwrap().iter().sum::<f32>();
    }
    let storage = Storage::new(Buffer::Float(k.budget.filled(1, total).unwrap()));
    let lengths = inputs.iter().map(|input| input.len()).collect();
    let inputs = inputs.iter().map(|input| Some(*input)).collect::<Vec<_>>();
    k.record_output(&[], storage, &inputs, WeightedSum(lengths), Vec::new()).unwrap()
}

impl ErasedBackward for WeightedSum {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let g = f32::slice(gradients[0].as_ref().unwrap())?[0];
        for (position, len) in self.0.iter().enumerate() {
            if context.needs_input_grad(position) {
                give(position, Buffer::Float(context.budget.filled(*len, (position + 1) as f32 * g)?))?;
            }
        }
        Ok(())
    }
}

fn gradient(x: &Tensor) -> Option<Vec<f32>> {
    x.grad().map(|grad| f32::slice(&grad.storage().read().unwrap()).unwrap().to_vec())
}

fn leaf(k: &Autograd, elements: &[f32]) -> Tensor {
    let leaf = k.leaf(&[elements.len()], Buffer::Float(k.budget.copy(elements).unwrap()));
    leaf.set_requires_grad(true);
    leaf
}

#[test]
fn outputs_are_used_in_part_together_and_more_than_once() {
    let k = Autograd::new(1 << 20);
    let uses: [(&[usize], f32, [f32; 4]); 5] = [
        (&[0], 3.0, [1.0, 1.0, 0.0, 0.0]),
        (&[2], 7.0, [0.0, 0.0, 1.0, 1.0]),
        (&[0, 2], 17.0, [1.0, 1.0, 2.0, 2.0]),
        (&[2, 0], 13.0, [2.0, 2.0, 1.0, 1.0]),
        (&[2, 0, 2, 2, 0, 0], 95.0, [13.0, 13.0, 8.0, 8.0]),
    ];
    for (outputs, expected, expected_gradient) in uses {
        let x = leaf(&k, &[1.0, 2.0, 3.0, 4.0]);
        let parts = parts(&k, &x);
        let total = weighted_sum(&k, &outputs.iter().map(|output| &parts[*output]).collect::<Vec<_>>());
        let elements = f32::slice(&total.storage().read().unwrap()).unwrap().to_vec();
        assert_eq!(elements, [expected], "{outputs:?}");
        drop(parts);
        k.backward(&total, 1.0).unwrap();
        assert_eq!(gradient(&x), Some(expected_gradient.to_vec()), "{outputs:?}");
    }
}

#[test]
fn an_output_is_the_root_and_integers_are_leaves() {
    let k = Autograd::new(1 << 20);
    let x = leaf(&k, &[1.0, 2.0]);
    let made = parts(&k, &x);
    assert_eq!(made.iter().map(Tensor::requires_grad).collect::<Vec<_>>(), [true, false, true]);
    k.backward(&made[2], 5.0).unwrap();
    assert_eq!(gradient(&x), Some(vec![0.0, 5.0]));
    assert!(k.backward(&made[1], 1.0).is_err());
    let made = k.without_recording(|| parts(&k, &x));
    assert!(made.iter().all(|tensor| !tensor.requires_grad()));
}

#[test]
fn a_function_has_inputs_that_need_no_gradient_among_many() {
    let k = Autograd::new(1 << 20);
    let inputs = (0..7).map(|_| leaf(&k, &[1.0])).collect::<Vec<_>>();
    [0, 3, 6].iter().for_each(|frozen: &usize| inputs[*frozen].set_requires_grad(false));
    let before = k.budget.tensor_limit();
    k.backward(&weighted_sum(&k, &inputs.iter().collect::<Vec<_>>()), 1.0).unwrap();
    let gradients = inputs.iter().map(gradient).collect::<Vec<_>>();
    assert_eq!(gradients, [None, Some(2.0), Some(3.0), None, Some(5.0), Some(6.0), None].map(|g| g.map(|g| vec![g])));
    inputs.iter().for_each(|input| input.set_grad(None));
    assert_eq!(k.budget.tensor_limit(), before);
}

#[test]
fn a_long_chain_of_several_outputs_is_walked_and_dropped_in_a_loop() {
    let k = Autograd::new(1 << 24);
    let x = leaf(&k, &[1.0, 1.0]);
    let mut last = parts(&k, &x);
    for _ in 0..100_000 {
        let both = weighted_sum(&k, &[&last[0], &last[2]]);
        last = vec![both.clone(), x.clone(), both];
    }
    drop(last);
}
