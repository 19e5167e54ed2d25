#![allow(clippy::unwrap_used)]
use std::time::Instant;
use stepwell_optim::*;
fn run(name: &str, shapes: &[usize], threads: usize, reps: usize, opts: &[(String, Value)]) -> f64 {
    let d = definition(name).unwrap();
    let mut o = Optimizer::new(d, &[], opts).unwrap();
    let plan = o.plan(0, &[], &[]).unwrap();
    o.edit(0, plan, shapes.len()).unwrap();
    let mut p: Vec<Vec<f32>> =
        shapes.iter().map(|&n| (0..n).map(|i| ((i * 7919) % 1000) as f32 / 1000. - 0.5).collect()).collect();
    let mut g: Vec<Vec<f32>> =
        shapes.iter().map(|&n| (0..n).map(|i| ((i * 104729) % 1000) as f32 / 1000. - 0.5).collect()).collect();
    let options = StepOptions { threads, ..Default::default() };
    let mut best = Vec::new();
    let mut views: Vec<Option<View>> = p.iter_mut().zip(&mut g).map(|(p, g)| Some(View::Float(p, g))).collect();
    for _ in 0..7 {
        let t = Instant::now();
        for _ in 0..reps {
            o.step(&mut views, options).unwrap();
        }
        best.push(t.elapsed().as_nanos() as f64 / reps as f64);
    }
    best.remove(0);
    best.sort_by(f64::total_cmp);
    best[best.len() / 2] / 1000.
}
fn stream(n: usize, threads: usize, reps: usize) -> f64 {
    let mut p = vec![1f32; n];
    let mut best = Vec::new();
    for _ in 0..7 {
        let t = Instant::now();
        for _ in 0..reps {
            std::thread::scope(|s| {
                for c in p.chunks_mut(n.div_ceil(threads)) {
                    s.spawn(move || {
                        for x in c.iter_mut() {
                            *x += 1e-9;
                        }
                        std::hint::black_box(c);
                    });
                }
            });
        }
        best.push(t.elapsed().as_nanos() as f64 / reps as f64);
    }
    best.sort_by(f64::total_cmp);
    best[best.len() / 2] / 1000.
}
#[test]
#[ignore]
fn speed() {
    let mut bert = vec![30522 * 768, 512 * 768, 2 * 768, 768, 768];
    for _ in 0..12 {
        for _ in 0..4 {
            bert.push(768 * 768);
            bert.push(768);
        }
        bert.push(768 * 3072);
        bert.push(3072);
        bert.push(768 * 3072);
        bert.push(768);
        for _ in 0..4 {
            bert.push(768);
        }
    }
    let sets: [(&str, Vec<usize>, usize); 5] = [
        ("demo", vec![784 * 256, 256, 2560, 10], 500),
        ("1000x16", vec![16; 1000], 500),
        ("1000x1024", vec![1024; 1000], 50),
        ("16x1M", vec![1 << 20; 16], 4),
        ("bert", bert, 1),
    ];
    for (what, shapes, reps) in &sets {
        let n: usize = shapes.iter().sum();
        for threads in [1, 2] {
            print!("{what:10} t{threads} ");
            let s = if n > 1 << 20 { stream(n, threads, 2) } else { 0. };
            print!("stream {:.1} GB/s ", n as f64 * 8. / 1000. / s);
            for name in ["adam", "adamw", "sgd", "rmsprop", "adagrad", "lamb"] {
                let t = run(name, shapes, threads, *reps, &[]);
                print!(" {name} {t:.1} ({:.3})", t * 1000. / n as f64);
            }
            println!();
        }
    }
}
#[test]
#[ignore]
fn lamb() {
    for _ in 0..5 {
        println!("lamb {}", run("lamb", &[784 * 256, 256, 2560, 10], 1, 500, &[]));
    }
}
