//! The CUDA C++ of an optimizer: its kernels, made of the tokens of its formulas, for the tensors of a step.

mod formula;

use std::fmt::Write as _;

use crate::device::layout::ConstantsRow;
use crate::error::{Code, Error, Result};
use crate::rule::RuleKernels;
use crate::state::param_state::RULE_BUFFERS;
use crate::state::view::Element;
use crate::sweep::erased_rule::ErasedRule;

/// The text that stands before the formulas, and needs nothing of an optimizer.
const PRELUDE: [&str; 4] =
    [include_str!("prelude.cuh"), include_str!("elements.cuh"), include_str!("step.cuh"), include_str!("sums.cuh")];
/// The kernels of the norm of all gradients, which call the functions of norms.
const GRADIENT_NORM: &str = include_str!("gradient_norm.cuh");
/// The stages of a rule with two stages.
const TWO_STAGES: &str = include_str!("two_stages.cuh");

/// The text of a kernel before and after the call for a variant.
const NO_BODY: [&str; 2] = ["", ""];
const GRADIENT_SQUARES_BODY: [&str; 2] = [
    "    const TransformEntry transform = transform_before_norm(*launch.settings);\n    clear(shared);\n",
    "    finish_gradient_squares(launch, shared);\n",
];
const TRANSFORMED_SQUARES_BODY: [&str; 2] = [
    "    const TransformEntry transform = transform_of(launch);\n    if (is_skipped(launch) || transform.kind == 0) \
     return;\n    clear(shared);\n",
    "    finish_transformed_squares(launch, shared);\n",
];

/// Tensors that share a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Index of the kernels that the options choose.
    pub kernel: usize,
    /// The type of parameter and gradient.
    pub element: Element,
    /// The formula's buffers that are stored in bfloat16.
    pub bfloat16_buffers: [bool; RULE_BUFFERS],
}

/// The CUDA C++ of passes over vectors of `number`, float or double, which `passes` names `Number`.
pub(crate) fn vector_source(number: &str, passes: &str) -> String {
    let [prelude, _, _, sums] = PRELUDE;
    format!("{prelude}{sums}typedef {number} Number;\n{passes}")
}

/// The CUDA C++ of a rule for these variants; [`crate::TensorEntry::variant`] is an index of the list.
///
/// # Errors
/// [`Code::Internal`] for a kernel whose tokens CUDA C++ cannot express, or for an index that the rule does not have.
pub(crate) fn source(rule: &dyn ErasedRule, variants: &[Variant]) -> Result<String> {
    let all = rule.kernels();
    let mut text = PRELUDE.concat();
    text.push_str(rule.norm_functions());
    text.push_str(GRADIENT_NORM);
    if rule.has_two_stages() {
        text.push_str(TWO_STAGES);
    }
    for (index, kernels) in all.iter().enumerate() {
        if variants.iter().any(|variant| variant.kernel == index) {
            text.push('\n');
            text.push_str(&classes(kernels)?);
        }
    }

    // A call of a function template for the kernel of a variant.
    let call = |function: &str, variant: &Variant, element: &str, arguments: &str| {
        let kernels = all.get(variant.kernel).ok_or_else(|| {
            let message = format!("expected an index of {} kernels, given {}", all.len(), variant.kernel);
            Error::new(Code::Internal, message)
        })?;
        let kernel = kernels.apply.as_ref().filter(|_| function == "apply_chunk").unwrap_or(&kernels.update);
        let (name, mask) = (formula::class_name(kernel), narrow_states(kernels, variant));
        Ok(format!("{function}<{name}, {element}, {mask}u>({arguments})"))
    };
    let sum = |_: &Variant, element: &str| Ok(format!("sum_gradient_chunk<{element}>(launch, shared, transform)"));
    text.push_str(&entry("gradient_squares", "GradientWorkspace", GRADIENT_SQUARES_BODY, variants, &sum)?);
    text.push_str(&entry("transformed_squares", "GradientWorkspace", TRANSFORMED_SQUARES_BODY, variants, &sum)?);
    if rule.has_two_stages() {
        let measure = |variant: &Variant, element: &str| call("measure_chunk", variant, element, "launch, shared");
        let apply = |variant: &Variant, element: &str| call("apply_chunk", variant, element, "launch");
        text.push_str(&entry("measure", "MeasureWorkspace", NO_BODY, variants, &measure)?);
        text.push_str(&entry("apply", "NoWorkspace", NO_BODY, variants, &apply)?);
    } else {
        let step = |variant: &Variant, element: &str| call("step_chunk", variant, element, "launch");
        text.push_str(&entry("step", "NoWorkspace", NO_BODY, variants, &step)?);
    }
    Ok(text)
}

/// The row of the rule's constants with this index, which are a group's.
pub(crate) fn constants_row(rule: &dyn ErasedRule, index: usize, group: usize, is_double: bool) -> ConstantsRow {
    ConstantsRow {
        values: rule.constant_values(index, is_double),
        norm_inputs: rule.norm_inputs(group),
        is_single: u32::from(!is_double),
        padding: 0,
    }
}

/// The classes of both stages.
fn classes(kernels: &RuleKernels) -> Result<String> {
    let row = &|index: usize, _: &str| format!("row[{index}]");
    let mut text = formula::class(&kernels.update, kernels.buffers, "const double* row", row)?;
    if let Some(apply) = &kernels.apply {
        let constants = kernels.update.constants;
        let factors = apply.constants.iter().filter(|name| !constants.contains(name)).count();
        if factors != 1 {
            let message = format!("{}: expected one constant that the first stage does not have", apply.path);
            return Err(Error::new(Code::Internal, message));
        }
        let value = &|_: usize, name: &str| match constants.iter().position(|constant| *constant == name) {
            Some(index) => format!("row[{index}]"),
            None => "factor".to_owned(),
        };
        text.push_str(&formula::class(apply, kernels.buffers, "const double* row, double factor", value)?);
    }
    Ok(text)
}

/// The bits of the kernel's buffers that are stored in bfloat16.
fn narrow_states(kernels: &RuleKernels, variant: &Variant) -> u32 {
    let narrow = |(state, buffer): (usize, &usize)| match variant.bfloat16_buffers.get(*buffer) {
        Some(true) => 1 << state,
        _ => 0,
    };
    kernels.buffers.iter().enumerate().map(narrow).sum()
}

/// A kernel that calls a function for the variant of its block's tensor, between the two texts of `body`.
fn entry(
    name: &str,
    workspace: &str,
    [before, after]: [&str; 2],
    variants: &[Variant],
    call: &dyn Fn(&Variant, &str) -> Result<String>,
) -> Result<String> {
    let mut text =
        format!("\nDEVICE void {name}_block(const Launch& launch, [[maybe_unused]] {workspace}& shared) {{\n");
    text.push_str(before);
    text.push_str("    switch (launch.tensors[launch.chunks[launch.block].tensor].variant) {\n");
    let calls =
        variants.iter().map(|variant| call(variant, element_class(variant.element))).collect::<Result<Vec<_>>>()?;
    for (first, function) in calls.iter().enumerate().filter(|(first, function)| !calls[..*first].contains(function)) {
        for (index, _) in calls.iter().enumerate().skip(first).filter(|(_, other)| *other == function) {
            let _ = writeln!(text, "    case {index}:");
        }
        let _ = writeln!(text, "        {function};\n        break;");
    }
    let _ = write!(text, "    }}\n{after}}}\nKERNEL({name}, {workspace})\n");
    Ok(text)
}

/// The class of an element type in `elements.cuh`.
fn element_class(element: Element) -> &'static str {
    match element {
        Element::Float => "Float",
        Element::Double => "Double",
        Element::Half => "Half",
        Element::BFloat16 => "BFloat16",
    }
}
