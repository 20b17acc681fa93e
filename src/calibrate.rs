//! What a machine can do, measured with kernels as momc writes them: the numbers of the cost model.
//!
//! Each number comes from a program that is limited by it alone. Of several samples the fastest counts, which nothing else
//! on the machine has held up.

use std::{fs, path::Path, time::Duration};

use mom_dialect::{
    graph::{Function, Graph, OpKind, ValueId},
    shape::{Axis, Extent, Type},
};
use mom_passes::{Options, Target, fuse::cost::Machine};
use mom_runtime::{Device, Kernels};

use crate::{
    bench::{Product, sample},
    failure::Failure,
    rule,
};

/// How long one sample takes at least, and how many there are.
const SAMPLE: Duration = Duration::from_millis(40);
const SAMPLES: usize = 5;

/// Launches of the program that shows what one costs, and the width of its rows.
const LAUNCHES: usize = 64;
const NARROW: usize = 64;
/// Operations on each number in the program that shows how fast vector code computes, and the width of its rows.
const OPERATIONS: usize = 64;
const WIDE: usize = 1024;
/// Bytes that one step moves, at least, to show how fast a level of memory is: enough to be worth all threads.
const MOVED: f64 = 64e6;
/// The most bytes that a working set in main memory takes.
const MOST_BYTES: f64 = 512e6;

/// Measures this machine, with all threads of a device. Files go into `folder`.
///
/// # Errors
/// A fault of momc; E0610 where there is no memory for working sets beyond the caches.
pub fn calibrate(device: &Device, folder: &Path) -> Result<Machine, Failure> {
    let program = |name: &str, width: usize, body: &Body<'_>| compile(device, folder, name, width, body);
    let norms = program("norms", NARROW, &|graph, x| {
        let mut value = x;
        for _ in 0..LAUNCHES {
            value = apply(graph, OpKind::L2Norm { eps: 1.0 }, &[value])?;
        }
        Ok(value)
    })?;
    // Twice the rows are twice the work in as many launches.
    let (rows, twice) = (seconds(&norms, 256, NARROW)?, seconds(&norms, 512, NARROW)?);
    let launch = (2.0 * rows - twice) / LAUNCHES as f64;

    let mut product = Product::new(device.threads());
    let product = Product::FLOPS / fastest(|| product.run());

    let arithmetic = program("arithmetic", WIDE, &|graph, x| {
        let factor = apply(graph, OpKind::Constant { value: 0.9 }, &[])?;
        let mut value = x;
        for _ in 0..OPERATIONS / 2 {
            value = apply(graph, OpKind::Elementwise(Function::Mul), &[value, factor])?;
            value = apply(graph, OpKind::Elementwise(Function::Add), &[value, factor])?;
        }
        Ok(value)
    })?;
    let rows = 256;
    let vector = (rows * WIDE * OPERATIONS) as f64 / seconds(&arithmetic, rows, WIDE)?;

    let mut levels = Vec::new();
    let capacities = capacities();
    let beyond = capacities.last().map_or(MOST_BYTES, |last| (4.0 * last).min(MOST_BYTES));
    let working_sets = capacities.iter().map(|capacity| (*capacity, capacity / 2.0)).chain([(f64::INFINITY, beyond)]);
    for (capacity, bytes) in working_sets {
        // Each launch reads rows and writes as many.
        let rows = (bytes as usize / (8 * WIDE)).max(1);
        let copies = (MOVED / bytes).ceil().max(2.0) as usize;
        let chain = program(&format!("copies{copies}"), WIDE, &|graph, x| {
            let mut value = x;
            for _ in 0..copies {
                // What is used twice is stored.
                value = apply(graph, OpKind::Elementwise(Function::Max), &[value, value])?;
            }
            Ok(value)
        })?;
        let moved = (copies * rows * 8 * WIDE) as f64;
        levels.push((capacity, rounded(moved / seconds(&chain, rows, WIDE)? * 1e-9)));
    }
    Ok(Machine {
        launch_ns: rounded((launch * 1e9).max(1.0)),
        product_flops: rounded(product * 1e-9),
        vector_flops: rounded(vector * 1e-9),
        levels,
        threads: device.threads() as f64,
    })
}

/// Three digits, as many as a measurement is good for.
fn rounded(number: f64) -> f64 {
    let unit = 10_f64.powi(number.abs().max(1e-9).log10().floor() as i32 - 2);
    // Through text, so that no digits come back that only the division made.
    format!("{:.6}", (number / unit).round() * unit).parse().unwrap_or(number)
}

/// What a program computes from `[T, width]`.
type Body<'a> = dyn Fn(&mut Graph, ValueId) -> Result<ValueId, String> + 'a;

fn apply(graph: &mut Graph, kind: OpKind, operands: &[ValueId]) -> Result<ValueId, String> {
    graph.add(kind, operands, None)?.first().copied().ok_or_else(|| "an operation without a result".to_owned())
}

fn compile(device: &Device, folder: &Path, name: &str, width: usize, body: &Body<'_>) -> Result<Kernels, Failure> {
    let ty = Type::f32([Axis::Rows(Extent::TOKENS), Axis::named("x", width)]);
    let mut graph = Graph { name: name.to_owned(), update_rules: Vec::new(), body: Default::default() };
    let x = OpKind::Input { name: "x".to_owned(), ty };
    let built = apply(&mut graph, x, &[])
        .and_then(|x| body(&mut graph, x))
        .and_then(|y| graph.add(OpKind::Output { name: "y".to_owned() }, &[y], None));
    built.map_err(|message| mom_dialect::diagnostic::Diagnostic::bug(rule::TENSORS, message))?;
    let target = Target::from_name("native")?;
    let module = rule::compile(&graph, &target, &Options::default(), &folder.join(format!("{name}.so")))?;
    Ok(module.kernels(device.clone())?)
}

/// Seconds of one step of so many rows.
fn seconds(kernels: &Kernels, rows: usize, width: usize) -> Result<f64, Failure> {
    let x = vec![0.5; rows * width];
    let mut run = kernels.prepare(&[0, rows], &[("x", &x)], &[])?;
    drop(x);
    Ok(fastest(|| run.step()))
}

fn fastest(mut work: impl FnMut()) -> f64 {
    (0..SAMPLES).map(|_| sample(SAMPLE, &mut work)).fold(f64::INFINITY, f64::min)
}

/// Bytes of the second- and third-level cache, as far as the system tells; those of a common server otherwise.
fn capacities() -> Vec<f64> {
    let read = |level: usize| -> Option<f64> {
        let folders = fs::read_dir("/sys/devices/system/cpu/cpu0/cache").ok()?;
        let mut caches = folders.flatten().filter_map(|folder| {
            let file = |name: &str| fs::read_to_string(folder.path().join(name)).ok();
            let (own, size) = (file("level")?, file("size")?);
            let kilobytes: f64 = size.trim().strip_suffix('K')?.parse().ok()?;
            (own.trim() == level.to_string()).then_some(1024.0 * kilobytes)
        });
        caches.next()
    };
    let common = Machine::default().levels;
    let default = |place: usize| common.get(place).map_or(MOST_BYTES, |(bytes, _)| *bytes);
    let near = read(2).unwrap_or_else(|| default(0));
    let far = read(3).unwrap_or_else(|| default(1));
    if far > near { vec![near, far] } else { vec![near] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measurements_have_three_digits() {
        assert_eq!([1234.5, 0.98765, 45.678, 3e-4].map(rounded), [1230.0, 0.988, 45.7, 0.0003]);
    }
}
