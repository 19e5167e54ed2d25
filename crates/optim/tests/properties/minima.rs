//! L-BFGS with a strong Wolfe line search finds published minima from the standard starting points. Moré, Garbow and
//! Hillstrom 1981, *Testing Unconstrained Optimization Software*, <https://doi.org/10.1145/355934.355936>.

#![allow(clippy::unwrap_used, reason = "a test")]

use stepwell_optim::{Objective, Optimizer, OptionValue, Result, definition};

/// A residual and its derivatives. The problems of the paper are sums of squared residuals.
type Residuals = Vec<(f64, Vec<f64>)>;

/// A problem of the paper, with its number.
struct Problem {
    name: &'static str,
    start: &'static [f64],
    minimum: &'static [f64],
    /// Tolerance of each parameter, relative to the larger of its value at the minimum and 1. The Hessian of Powell's
    /// function is singular at the minimum. A gradient of 1e-9 therefore leaves the parameters near 1e-3.
    near: f64,
    residuals: fn(&[f64]) -> Residuals,
}

const PROBLEMS: [Problem; 5] = [
    Problem {
        name: "(1) Rosenbrock",
        start: &[-1.2, 1.0],
        minimum: &[1.0, 1.0],
        near: 1e-8,
        residuals: |x| vec![(10.0 * (x[1] - x[0] * x[0]), vec![-20.0 * x[0], 10.0]), (1.0 - x[0], vec![-1.0, 0.0])],
    },
    Problem {
        name: "(4) Brown badly scaled",
        start: &[1.0, 1.0],
        minimum: &[1e6, 2e-6],
        near: 1e-8,
        residuals: |x| {
            vec![(x[0] - 1e6, vec![1.0, 0.0]), (x[1] - 2e-6, vec![0.0, 1.0]), (x[0] * x[1] - 2.0, vec![x[1], x[0]])]
        },
    },
    Problem {
        name: "(5) Beale",
        start: &[1.0, 1.0],
        minimum: &[3.0, 0.5],
        near: 1e-8,
        residuals: |x| {
            let residual = |(i, y): (i32, f64)| {
                (y - x[0] * (1.0 - x[1].powi(i)), vec![x[1].powi(i) - 1.0, f64::from(i) * x[0] * x[1].powi(i - 1)])
            };
            [(1, 1.5), (2, 2.25), (3, 2.625)].map(residual).to_vec()
        },
    },
    Problem {
        name: "(13) Powell singular",
        start: &[3.0, -1.0, 0.0, 1.0],
        minimum: &[0.0, 0.0, 0.0, 0.0],
        near: 1e-2,
        residuals: |x| {
            let (five, ten) = (5f64.sqrt(), 10f64.sqrt());
            let (a, b) = (x[1] - 2.0 * x[2], x[0] - x[3]);
            vec![
                (x[0] + 10.0 * x[1], vec![1.0, 10.0, 0.0, 0.0]),
                (five * (x[2] - x[3]), vec![0.0, 0.0, five, -five]),
                (a * a, vec![0.0, 2.0 * a, -4.0 * a, 0.0]),
                (ten * b * b, vec![2.0 * ten * b, 0.0, 0.0, -2.0 * ten * b]),
            ]
        },
    },
    Problem {
        name: "(14) Wood",
        start: &[-3.0, -1.0, -3.0, -1.0],
        minimum: &[1.0, 1.0, 1.0, 1.0],
        near: 1e-8,
        residuals: |x| {
            let (ninety, ten) = (90f64.sqrt(), 10f64.sqrt());
            vec![
                (10.0 * (x[1] - x[0] * x[0]), vec![-20.0 * x[0], 10.0, 0.0, 0.0]),
                (1.0 - x[0], vec![-1.0, 0.0, 0.0, 0.0]),
                (ninety * (x[3] - x[2] * x[2]), vec![0.0, 0.0, -2.0 * ninety * x[2], ninety]),
                (1.0 - x[2], vec![0.0, 0.0, -1.0, 0.0]),
                (ten * (x[1] + x[3] - 2.0), vec![0.0, ten, 0.0, ten]),
                ((x[1] - x[3]) / ten, vec![0.0, 1.0 / ten, 0.0, -1.0 / ten]),
            ]
        },
    },
];

/// A problem at the current parameters, negated if `sign` is -1.
struct At<'a> {
    problem: &'a Problem,
    sign: f64,
    x: Vec<f64>,
    evaluations: usize,
}

impl Objective<f64> for At<'_> {
    fn set_parameters(&mut self, parameters: &[f64]) -> Result<()> {
        self.x = parameters.to_vec();
        Ok(())
    }

    fn evaluate(&mut self, gradient: &mut [f64]) -> Result<f64> {
        self.evaluations += 1;
        gradient.fill(0.0);
        let mut loss = 0.0;
        for (residual, derivatives) in (self.problem.residuals)(&self.x) {
            loss += residual * residual;
            gradient.iter_mut().zip(derivatives).for_each(|(g, d)| *g += self.sign * 2.0 * residual * d);
        }
        Ok(self.sign * loss)
    }
}

/// Steps until the gradient is small or a step changes nothing. Returns the final parameters and the number of
/// evaluations.
fn found(problem: &Problem, maximize: bool) -> (Vec<f64>, usize) {
    let options = [
        ("search", OptionValue::Word("strong_wolfe".into())),
        ("gradtol", OptionValue::Float(1e-9)),
        ("changetol", OptionValue::Float(0.0)),
        ("maximize", OptionValue::Flag(maximize)),
    ];
    let options = options.map(|(name, value)| (name.to_owned(), value));
    let mut optimizer = Optimizer::new(definition("lbfgs").unwrap(), &[], &options).unwrap();
    let sign = if maximize { -1.0 } else { 1.0 };
    let mut at = At { problem, sign, x: problem.start.to_vec(), evaluations: 0 };
    for _ in 0..50 {
        let before = at.x.clone();
        let (_, memory) = optimizer.closure_step().minimize_f64(&before, &mut at).unwrap();
        optimizer.set_lbfgs_state(memory);
        if at.x == before {
            break;
        }
    }
    (at.x, at.evaluations)
}

#[test]
fn lbfgs_finds_the_published_minima() {
    for problem in &PROBLEMS {
        let (x, evaluations) = found(problem, false);
        println!("{}: {x:?} after {evaluations} evaluations", problem.name);
        for (x, minimum) in x.iter().zip(problem.minimum) {
            let near = problem.near * minimum.abs().max(1.0);
            assert!((x - minimum).abs() <= near, "{}: {x} instead of {minimum}", problem.name);
        }
        assert!(evaluations < 500, "{}: {evaluations} evaluations", problem.name);
    }
}

#[test]
fn the_maximum_of_the_negative_is_the_minimum_to_the_bit() {
    for problem in &PROBLEMS {
        assert_eq!(found(problem, true), found(problem, false), "{}", problem.name);
    }
}
