//! The comparison with the CPU finds small changes of the text of the kernels.

use std::panic::catch_unwind;

use stepwell_optim::Element;

use crate::elements::{Comparison, compare};
use crate::numbers::Numbers::{self, Extreme, Ordinary, Special};

/// Names a change of the text, which must be there.
macro_rules! mutants {
    ($($name:ident: $optimizer:literal, $group:literal, $numbers:expr, $from:literal => $to:literal;)*) => {
        $(
            #[test]
            fn $name() {
                fails($optimizer, $group, $numbers, |text| {
                    assert!(text.contains($from), "the text has changed");
                    text.replacen($from, $to, 1)
                });
            }
        )*
    };
}

fn fails(optimizer: &'static str, group: usize, numbers: Numbers, change: fn(String) -> String) {
    let run = move |change: fn(String) -> String| {
        let whole = Comparison::new(optimizer, numbers);
        let lengths = |pair: usize| vec![pair, 5, 63, 64, 200, 512, 700, 1024, 16_384, 17_000];
        let elements = &[Element::Float, Element::Double, Element::Half, Element::BFloat16];
        let named = vec![whole.named[group].clone()];
        compare(Comparison { named, elements, lengths, change, ..whole });
    };
    // A comparison that fails without the change would prove nothing.
    run(|text| text);
    let error = catch_unwind(|| run(change)).unwrap_err();
    let message = error.downcast_ref::<String>().map(String::as_str).or(error.downcast_ref::<&str>().copied());
    let message = message.unwrap_or_default();
    assert!(message.contains("differ") || message.contains("outside"), "{message}");
}

mutants! {
    a_term_that_is_off_adds_nothing: "adagrad", 0, Special, "factor == T(0) ? sum :" => "";
    the_larger_number_keeps_a_nan: "adam", 1, Special, "return a > b ? a : b;" => "return a < b ? b : a;";
    float16_rounds_to_even: "sgd", 0, Ordinary, "rebased + 0xfffu + (rebased >> 13 & 1u)" => "rebased + 0x1000u";
    denormals_of_float16_round: "sgd", 0, Extreme, ": denormal));" => ": denormal + 1u));";
    bfloat16_rounds_to_even: "sgd", 1, Ordinary, "bits + 0x7fffu + (bits >> 16 & 1u)" => "bits + 0x8000u";
    a_hash_chooses_the_neighbor: "sgd", 3, Ordinary, "x >> 15) * 0x846ca68bu" => "x >> 14) * 0x846ca68bu";
    the_index_enters_the_hash: "sgd", 3, Ordinary, "static_cast<float>(weights[i]), span.first + i)" => "static_cast<float>(weights[i]), span.first)";
    value_clipping_keeps_nan: "sgd", 0, Special, "g > max ? max : g" => "g < max ? g : max";
    the_norm_has_an_epsilon: "sgd", 0, Ordinary, "+ 1e-6" => "+ 1e-5";
    the_loss_scale_divides_the_norm: "sgd", 0, Ordinary, "raw_norm * unscale" => "raw_norm";
    lanes_are_added_by_halving: "lamb", 0, Ordinary, "(lanes[i] + lanes[i + 32]) + (lanes[i + 16] + lanes[i + 48])" => "(lanes[i] + lanes[i + 16]) + (lanes[i + 32] + lanes[i + 48])";
    pairs_are_added_in_the_type_of_the_elements: "lamb", 0, Ordinary, "static_cast<double>(first * first + second * second)" => "static_cast<double>(first * first) + static_cast<double>(second * second)";
    whole_blocks_are_added_row_by_row: "lamb", 0, Ordinary, "ROW_BY_ROW && own == BLOCK_LEN" => "ROW_BY_ROW && own > BLOCK_LEN";
    small_sums_are_added_again: "lamb", 0, Extreme, "sum >= 1e-24" => "sum >= 0.0";
    large_sums_are_added_again: "lamb", 0, Extreme, "sum <= 3.40282346638528859811704183484516925440e+38" => "sum > 0.0";
    few_elements_have_eight_lanes: "lamb", 0, Ordinary, "row < length; row += 8" => "row < length; row += 9";
    the_average_starts_at_the_weights: "adam", 0, Ordinary, "tensor.created_average != 0" => "tensor.created_average == 2";
    the_average_moves_from_the_nearer_end: "adam", 2, Ordinary, "tensor.average_decay > 0.5" => "tensor.average_decay > 0.2";
    gradients_are_zeroed: "sgd", 0, Ordinary, "if (zeroes) store(tensor.gradient, span" => "if (!zeroes) store(tensor.gradient, span";
    master_weights_follow_the_parameter: "sgd", 0, Ordinary, "!E::IS_NARROW || !refreshes" => "refreshes";
    the_last_element_is_the_last: "sgd", 0, Ordinary, "if (i < span.count && IS_ACCESSIBLE(element, sizeof(S))) *reinterpret_cast<S*>(element) =" => "if (i <= span.count) *reinterpret_cast<S*>(element) =";
    multiply_and_add_round_twice: "sgd", 2, Ordinary, "c_momentum * b_0 + c_gradient_weight * g_1" => "static_cast<T>(__builtin_fma(c_momentum, b_0, c_gradient_weight * g_1))";
    norms_of_a_tensor_have_all_chunks: "lamb", 0, Ordinary, "add_in_order(shared.update, tensor.first_chunk, end," => "add_in_order(shared.update, tensor.first_chunk, end - 1,";
}
