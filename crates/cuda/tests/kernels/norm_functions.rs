//! Functions of norms on the device equal the functions of the rule.

use stepwell_cuda::Emulator;
use stepwell_optim::{
    BLOCK_THREADS, ConstantsRow, Device, DeviceRule, Element, Optimizer, OptionValue, bytes_of, bytes_of_mut,
    definition,
};

use crate::options::groups;

/// A kernel that calls the functions of norms: with `control.norm` for each row, and with the norms of each factor.
const EVALUATE: &str = "
DEVICE void evaluate_block(const Launch& launch, [[maybe_unused]] NoWorkspace& shared) {
    FOR_THREADS {
        if (thread != 0) continue;
        for (u32 i = 0; i < launch.settings->rows; i++) {
            ConstantsRow& row = launch.rows[i];
            SquaresEntry& squares = launch.squares[i];
            squares.gradient = factor_of_norms(row.norm_inputs, squares.parameter, squares.update);
            constants_from_norm(squares.parameter, row.norm_inputs, row.is_single != 0, row.values);
        }
    }
}
KERNEL(evaluate, NoWorkspace)
";

const NORMS: [f64; 16] =
    [0.0, -0.0, 5e-324, 1e-310, 1e-45, 1e-38, 1e-30, 1e-8, 0.3, 0.5, 1.0, 7.0, 1e10, 1e200, f64::INFINITY, f64::NAN];

#[test]
fn lamb_computes_its_constants_and_factors_from_norms_as_on_the_cpu() {
    let definition = definition("lamb").unwrap();
    let optimizer = Optimizer::with_groups(definition, &groups(definition)).unwrap();
    let options: Vec<&[OptionValue]> = optimizer.groups().iter().map(|group| group.options()).collect();
    let mut rule = DeviceRule::new(definition, &options).unwrap();
    let emulator = Emulator::new();
    let variants = [rule.variant(0, Element::Float)];
    let module = emulator.load(&format!("{}{EVALUATE}", rule.source(&variants).unwrap())).unwrap();

    let (mut rows, mut squares, mut expected) = (Vec::new(), Vec::new(), Vec::new());
    for group in 0..options.len() {
        for element in [Element::Float, Element::Double] {
            for norm in NORMS {
                for update_norm in NORMS {
                    rows.push(rule.row(group, 3, false, 1.0, element));
                    squares.push(stepwell_optim::SquaresEntry {
                        parameter: norm,
                        update: update_norm,
                        ..Default::default()
                    });
                    let factor = rule.factor(group, norm, update_norm);
                    expected.push((rule.row(group, 3, false, norm, element), factor));
                }
            }
        }
    }
    let settings = [stepwell_optim::StepSettings { rows: rows.len() as u32, ..Default::default() }];
    let upload = |bytes: &[u8]| {
        let memory = emulator.allocate(bytes.len()).unwrap();
        emulator.upload(memory.address(), bytes).unwrap();
        memory
    };
    let (row_table, squares_table) = (upload(bytes_of(&rows)), upload(bytes_of(&squares)));
    let settings_table = upload(bytes_of(&settings));
    let arguments = [0, 0, row_table.address(), settings_table.address(), 0, squares_table.address(), 0];
    module.launch("evaluate", 1, BLOCK_THREADS, &arguments).unwrap();
    emulator.download(row_table.address(), bytes_of_mut(&mut rows)).unwrap();
    emulator.download(squares_table.address(), bytes_of_mut(&mut squares)).unwrap();

    let bits = |x: f64| if x.is_nan() { u64::MAX } else { x.to_bits() };
    let all = |row: &ConstantsRow| row.values.map(bits);
    let mut differing = 0;
    for ((row, squares), (expected, factor)) in rows.iter().zip(&squares).zip(&expected) {
        assert_eq!(all(row), all(expected), "constants at norm {}", squares.parameter);
        let norms = (squares.parameter, squares.update);
        assert_eq!(bits(squares.gradient), bits(*factor), "factor at {norms:?}");
        differing += usize::from(row.values[0] != 1.0);
    }
    assert!(differing > 100);
}
