//! Native kernels against the interpreter of tiles.

use mom_dialect::graph::Function;
use mom_runtime::{
    Fault, Module,
    plan::{self, Plan, Sizes},
};

use super::{gradient, gradient_workspace, scan};
use crate::{
    emit,
    kernel::{Kernel, scan::wiring::Wiring},
    lower,
    target::Target,
    tile::{
        Gradient, Graph, Op, Port, Scan, Schedule, Shape, Value,
        evaluate::{Results, Segment},
        graph::Along,
    },
};

/// A small generator of numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn new(seed: u64) -> Numbers {
        Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Between -1 and 1, of single precision.
    fn uniform(&mut self) -> f64 {
        f64::from(((self.next() >> 40) as f32 / (1_u64 << 23) as f32) - 1.0)
    }

    fn many(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.uniform()).collect()
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() >> 33) as usize % count
    }
}

mod planted;

/// Compiles kernels into one artifact, in order.
fn compile(target: &Target, kernels: Vec<Kernel<'_>>) -> Module {
    compile_as(target, kernels, |text| text)
}

/// As [`compile`], with the text that is made of the kernels'.
fn compile_as(target: &Target, kernels: Vec<Kernel<'_>>, made: impl FnOnce(String) -> String) -> Module {
    let (mut texts, mut thread_bytes) = (Vec::new(), 0);
    let mut order: Vec<String> = Vec::new();
    for kernel in kernels {
        let is_known = order.contains(&kernel.symbol);
        order.push(kernel.symbol.clone());
        if !is_known {
            let (text, bytes) = kernel.text(target.lanes_are);
            texts.push(text);
            thread_bytes = thread_bytes.max(bytes);
        }
    }
    let text = made(emit::module(&texts, target.lanes_are, thread_bytes));
    let plan = Plan {
        format: plan::FORMAT,
        momc: String::new(),
        model: String::new(),
        vocab_size: 1,
        layers: 0,
        eos_token: None,
        memories: 0,
        target: plan::Target {
            name: target.name.clone(),
            arch: target.arch.clone(),
            groups: target.lanes_are.are_threads(),
            features: target.features.clone(),
        },
        block_tokens: 1,
        inputs: Vec::new(),
        params: Vec::new(),
        ignored_tensors: Vec::new(),
        states: Vec::new(),
        slots: Vec::new(),
        thread_bytes,
        outputs: Vec::new(),
        kernels: order,
        launches: Vec::new(),
    };
    let object = lower::with_llvm(&text, |module| {
        let plan = serde_json::to_vec(&plan).map_err(|error| error.to_string())?;
        lower::llvm::translate(module, target, plan::SYMBOL, &plan)?.emit(false)
    });
    let object = object.unwrap_or_else(|error| panic!("{error:?}"));
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let path = folder.path().join("kernels.so");
    lower::link(&object, &target.arch, &path).unwrap_or_else(|error| panic!("{error:?}"));
    Module::load(&path).unwrap_or_else(|error| panic!("{error:?}"))
}

fn bits(values: &[f64]) -> Vec<u32> {
    values.iter().map(|&value| (value as f32).to_bits()).collect()
}

fn integers(values: &[i32]) -> Vec<u32> {
    values.iter().map(|&value| value as u32).collect()
}

fn floats(bits: &[u32]) -> Vec<f64> {
    bits.iter().map(|&bits| f64::from(f32::from_bits(bits))).collect()
}

/// The norm of the difference over the norm.
fn distance(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    if difference == 0.0 { 0.0 } else { difference / norm(&mut expected.iter().copied()).max(1e-30) }
}

/// This machine, and the emulated device.
fn targets() -> [Target; 2] {
    ["native", "emulated"].map(|name| Target::from_name(name).unwrap_or_else(|error| panic!("{error:?}")))
}

/// How often to run a kernel: where threads run in another order each time, some times.
fn times(target: &Target) -> usize {
    if target.lanes_are.are_threads() { 3 } else { 1 }
}

fn port(name: &str, shape: Shape, heads: usize) -> Port {
    Port { name: name.into(), shape, heads }
}

/// A scan of one token a step that applies an operation to its inputs.
fn single(name: &str, op: Op, shapes: &[Shape]) -> Scan {
    let mut step = Graph::default();
    let operands: Vec<Value> =
        shapes.iter().enumerate().map(|(number, &shape)| step.argument(Op::Input(number), shape)).collect();
    let result = step.add(op, &operands);
    step.results = vec![result];
    let inputs = shapes.iter().enumerate().map(|(number, &shape)| port(&format!("x{number}"), shape, 1)).collect();
    let outputs = vec![port("y", step.shape(result), 1)];
    let schedule = Schedule { chunk: 1, sub_block: 4, save: 64 };
    Scan { name: name.into(), schedule, heads: 1, inputs, parameters: vec![], states: vec![], outputs, step }
}

/// Data of a launch: sequences of these lengths, of every memory.
struct Data {
    lengths: Vec<usize>,
    memories: usize,
    sequences: usize,
    /// `[R, heads, …]`
    inputs: Vec<Vec<f64>>,
    parameters: Vec<Vec<f64>>,
    /// `[B, memory, head, …]`
    states: Vec<Vec<f64>>,
    real: Option<Vec<bool>>,
}

impl Data {
    /// Numbers that suit what the names of inputs say.
    fn new(scan: &Scan, lengths: &[usize], memories: usize, masked: bool, numbers: &mut Numbers) -> Data {
        let rows: usize = lengths.iter().sum();
        let sequences = lengths.len() / memories;
        let mut make = |port: &Port, count: usize| {
            let values = numbers.many(count * port.heads * port.shape.elements());
            // Gates are at most zero, factors between zero and one.
            match port.name.as_str() {
                name if name.starts_with('g') => values.iter().map(|x| -1.5 * (x + 1.0)).collect(),
                // Of one sign, since what divides by their products should not come near zero.
                "q" | "k" => values.iter().map(|x| (x + 1.1) / (port.shape.columns as f64).sqrt()).collect(),
                name if name.starts_with("beta") => values.iter().map(|x| 0.5 * (x + 1.0)).collect(),
                _ => values.iter().map(|x| f64::from((x / (port.shape.columns as f64).sqrt()) as f32)).collect(),
            }
        };
        let inputs = scan.inputs.iter().map(|port| make(port, rows)).collect();
        let parameters = scan.parameters.iter().map(|port| make(port, 1)).collect();
        let states = scan
            .states
            .iter()
            .map(|state| make(&Port { heads: scan.heads, ..state.clone() }, sequences * memories))
            .collect();
        let real = masked.then(|| (0..rows).map(|_| numbers.below(4) > 0).collect());
        let round = |values: Vec<Vec<f64>>| -> Vec<Vec<f64>> { values.iter().map(|v| floats(&bits(v))).collect() };
        Data {
            lengths: lengths.to_vec(),
            memories,
            sequences,
            inputs: round(inputs),
            parameters: round(parameters),
            states: round(states),
            real,
        }
    }

    fn rows(&self) -> usize {
        self.lengths.iter().sum()
    }

    fn segments(&self) -> Vec<i32> {
        let mut borders = vec![0];
        for &length in &self.lengths {
            borders.push(borders[borders.len() - 1] + length as i32);
        }
        borders
    }

    fn sizes(&self) -> Sizes {
        Sizes { tokens: self.rows(), sequences: self.sequences, rows: 0, context: 0 }
    }

    /// Rows of a segment and head, of a buffer of ports.
    fn part(values: &[f64], port: &Port, first: usize, count: usize, head: usize) -> Vec<f64> {
        let width = port.shape.elements();
        let row = |row: usize| &values[((first + row) * port.heads + head) * width..][..width];
        (0..count).flat_map(|number| row(number).to_vec()).collect()
    }
}

fn own_head(port: &Port, head: usize, heads: usize) -> usize {
    head * port.heads / heads
}

/// What the interpreter makes of a launch: outputs and states as the kernel lays them out.
fn expected(scan: &Scan, data: &Data) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let rows = data.rows();
    let mut outputs: Vec<Vec<f64>> =
        scan.outputs.iter().map(|port| vec![0.0; rows * scan.heads * port.shape.elements()]).collect();
    let mut states = data.states.clone();
    let mut first = 0;
    for (segment, &length) in data.lengths.iter().enumerate() {
        let (memory, sequence) = (segment / data.sequences, segment % data.sequences);
        for head in 0..scan.heads {
            let inputs: Vec<Vec<f64>> = scan
                .inputs
                .iter()
                .zip(&data.inputs)
                .map(|(port, values)| Data::part(values, port, first, length, own_head(port, head, scan.heads)))
                .collect();
            let parameters: Vec<Vec<f64>> = scan
                .parameters
                .iter()
                .zip(&data.parameters)
                .map(|(port, values)| Data::part(values, port, 0, 1, own_head(port, head, scan.heads)))
                .collect();
            let owner = (sequence * data.memories + memory) * scan.heads + head;
            let own = |values: &Vec<f64>, port: &Port| {
                let width = port.shape.elements();
                values[owner * width..][..width].to_vec()
            };
            let before: Vec<Vec<f64>> = states.iter().zip(&scan.states).map(|(v, port)| own(v, port)).collect();
            let real = data.real.as_ref().map(|real| real[first..first + length].to_vec());
            let segment = Segment {
                tokens: length,
                inputs: &inputs,
                parameters: &parameters,
                states: &before,
                real: real.as_deref(),
                head,
            };
            let results = scan.evaluate(&segment);
            for ((all, part), port) in outputs.iter_mut().zip(&results.outputs).zip(&scan.outputs) {
                let width = port.shape.elements();
                for row in 0..length {
                    all[((first + row) * scan.heads + head) * width..][..width]
                        .copy_from_slice(&part[row * width..][..width]);
                }
            }
            for ((all, part), port) in states.iter_mut().zip(&results.states).zip(&scan.states) {
                let width = port.shape.elements();
                all[owner * width..][..width].copy_from_slice(part);
            }
        }
        first += length;
    }
    (outputs, states)
}

/// Runs kernel number `kernel` and gives its largest error.
fn check(module: &Module, kernel: usize, scan: &Scan, data: &Data) -> f64 {
    try_check(module, kernel, scan, data).unwrap_or_else(|fault| panic!("{}: {fault}", scan.name))
}

fn try_check(module: &Module, kernel: usize, scan: &Scan, data: &Data) -> Result<f64, Fault> {
    let (outputs, states) = expected(scan, data);
    let mut buffers: Vec<Vec<u32>> =
        data.inputs.iter().chain(&data.parameters).chain(&data.states).map(|values| bits(values)).collect();
    buffers.push(integers(&data.segments()));
    if let Some(real) = &data.real {
        buffers.push(integers(&real.iter().map(|&real| if real { 0 } else { -1 }).collect::<Vec<_>>()));
    }
    let first_output = buffers.len();
    // What the kernel does not write shows as not-a-number.
    buffers.extend(outputs.iter().map(|output| vec![f32::NAN.to_bits(); output.len()]));
    module.call(kernel, &mut buffers, &data.sizes(), data.lengths.len() * scan.heads)?;
    let first_state = data.inputs.len() + data.parameters.len();
    let found = buffers[first_output..].iter().chain(&buffers[first_state..first_state + states.len()]);
    let errors = found.zip(outputs.iter().chain(&states)).map(|(found, expected)| distance(&floats(found), expected));
    Ok(errors.fold(0.0, |a, b| if b.is_nan() { f64::INFINITY } else { f64::max(a, b) }))
}

/// A scan alone in its launch.
fn plain(scan: &Scan, masked: bool) -> Wiring {
    Wiring::plain(scan.inputs.len(), scan.parameters.len(), scan.states.len(), masked, scan.outputs.len())
}

#[test]
fn each_operation() {
    targets().iter().for_each(operations_on);
}

fn operations_on(target: &Target) {
    let mut numbers = Numbers::new(3);
    let mut scans = Vec::new();
    let shape = Shape::new;
    for (m, k, n) in [(1, 1, 1), (1, 5, 7), (3, 2, 1), (4, 4, 4), (16, 33, 32), (13, 1, 20), (21, 20, 50), (40, 9, 1)] {
        for (transpose_a, transpose_b) in [(false, false), (true, false), (false, true), (true, true)] {
            let a = if transpose_a { shape(k, m) } else { shape(m, k) };
            let b = if transpose_b { shape(n, k) } else { shape(k, n) };
            scans.push(single("dot", Op::Dot { transpose_a, transpose_b }, &[a, b]));
        }
        scans.push(single("transpose", Op::Transpose, &[shape(m, n)]));
        scans.push(single("sum_rows", Op::Sum(Along::Rows), &[shape(m, n)]));
        scans.push(single("sum_columns", Op::Sum(Along::Columns), &[shape(m, n)]));
        scans.push(single("softmax", Op::Softmax, &[shape(m, n)]));
        for (reverse, exclusive) in [(false, false), (true, false), (false, true), (true, true)] {
            scans.push(single("cumulate", Op::CumSum { reverse, exclusive }, &[shape(m, n)]));
        }
        for (a, b) in [
            (shape(m, n), shape(m, n)),
            (shape(m, 1), shape(1, n)),
            (shape(1, n), shape(m, n)),
            (shape(m, n), shape(m, 1)),
        ] {
            scans.push(single("add", Op::Map(Function::Add), &[a, b]));
        }
        for strict in [false, true] {
            scans.push(single("lower", Op::Lower { strict }, &[shape(m, m)]));
            scans.push(single("lower", Op::Lower { strict }, &[shape(m, n)]));
            scans.push(single("triangle", Op::Triangle { n: m, strict }, &[]));
            let mut gates = single("decay_gram", Op::DecayGram { exclusive: strict }, &[shape(m, n); 3]);
            gates.inputs[2].name = "g".into();
            // Sub-blocks that are no power of two.
            let mut sevens = gates.clone();
            sevens.schedule.sub_block = 7;
            scans.extend([gates, sevens]);
            for transposed in [false, true] {
                let op = Op::DecayApply { exclusive: strict, transposed };
                let mut gates = single("decay_apply", op, &[shape(m, m), shape(m, n), shape(m, n)]);
                gates.inputs[2].name = "g".into();
                scans.push(gates);
            }
            scans.push(single("solve_lower", Op::SolveLower { transposed: strict }, &[shape(m, m), shape(m, n)]));
            scans.push(single("solve", Op::Solve { transposed: strict }, &[shape(m, m), shape(m, n)]));
        }
        let (row, column) = (m / 2, n / 3);
        let part = shape(m - row, n - column);
        scans.push(single("slice", Op::Slice { row, column, shape: part }, &[shape(m, n)]));
        let one_column = Op::Slice { row: 0, column: n - 1, shape: shape(m, 1) };
        scans.push(single("slice", one_column, &[shape(m, n)]));
        scans.push(single("pad", Op::Pad { row: 0, column: n - 1, shape: shape(m, n) }, &[shape(m, 1)]));
        scans.push(single("pad", Op::Pad { row, column, shape: shape(m, n) }, &[part]));
        for (rows, columns) in [(1, 2), (3, 1), (2, 2)] {
            scans.push(single("weave", Op::Interleave { rows, columns }, &vec![shape(m, n); rows * columns]));
            let op = Op::Deinterleave { rows, columns, i: rows - 1, j: 0 };
            scans.push(single("unweave", op, &[shape(m * rows, n * columns)]));
        }
    }
    let kernels = scans.iter().map(|one| scan(target, one, 1, plain(one, false))).collect();
    let module = compile(target, kernels);
    let mut wrong = Vec::new();
    for (number, one) in scans.iter().enumerate() {
        let data = Data::new(one, &[2], 1, false, &mut numbers);
        let error = check(&module, number, one, &data);
        if error > bound(one) {
            let shapes: Vec<Shape> = one.inputs.iter().map(|port| port.shape).collect();
            wrong.push(format!("{error:.1e} {:?} {shapes:?}", one.step.nodes[one.step.results[0].index()].op));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A rule that zeros are not in the domain of.
const DIVISIONS: &str = include_str!("../../../../tests/cases/rules/divisions.mom");

/// Every rule that ships, and one that divides, in all the forms they have; `save` is for those of one token a step.
fn forms(sizes: [usize; 2], chunk_length: usize, save: usize, heads: usize) -> Vec<Scan> {
    use crate::{algebra, form};
    use mom_dialect::{diagnostic::Source, rule};
    let axes = [("key", sizes[0]), ("value", sizes[1]), ("slot", 5), ("heads", heads)];
    let axes = axes.map(|(axis, size)| (axis.to_owned(), size)).into();
    let mut scans = Vec::new();
    for &(name, text) in rule::BUILTIN.iter().chain(&[("divisions", DIVISIONS)]) {
        let file = rule::parse(&Source::new(name, text)).unwrap_or_else(|error| panic!("{error:?}"));
        let mini_batch = file.options().filter(|(option, _)| *option == "mini_batch");
        let options = mini_batch.map(|(option, _)| (option.to_owned(), 4.0)).collect();
        let rule = file.update_rule(&axes, &options).unwrap_or_else(|error| panic!("{error:?}"));
        let mut shared = form::Heads::equal(heads, &rule);
        // The first input is shared by all heads, the second by pairs.
        for (port, count) in shared.inputs.iter_mut().zip([1, heads.div_ceil(2)]) {
            *port = count;
        }
        let schedule = Schedule { chunk: 1, sub_block: 1, save };
        let recurrent = form::recurrent::recurrent(&rule, &shared, &schedule).unwrap_or_else(|error| panic!("{error}"));
        scans.push(Scan { name: name.into(), ..recurrent });
        if let Ok(chain) = algebra::chain(&rule) {
            let schedule = Schedule { chunk: chunk_length, sub_block: chunk_length.min(8), save: 1 };
            if let Ok(scan) = form::chunk::chunk(&chain, &shared, &schedule) {
                scans.push(Scan { name: format!("{name}_chunk"), ..scan });
            }
        }
    }
    scans
}

/// What single precision may lose. Systems may be badly conditioned.
fn bound(scan: &Scan) -> f64 {
    let solves = scan.step.nodes.iter().any(|node| matches!(node.op, Op::Solve { .. }));
    if solves { 1e-2 } else { 1e-5 }
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn scans_of_all_rules() {
    targets().iter().for_each(scans_on);
}

fn scans_on(target: &Target) {
    let mut numbers = Numbers::new(5);
    let mut wrong = Vec::new();
    // Every access of a thread is checked, which takes long.
    let first = usize::from(target.lanes_are.are_threads());
    for (sizes, chunk, memories, masked) in [([16, 32], 16, 1, false), ([5, 7], 8, 2, true)].into_iter().skip(first) {
        let scans = forms(sizes, chunk, 1, 4);
        let module = compile(target, scans.iter().map(|one| scan(target, one, memories, plain(one, masked))).collect());
        for (number, one) in scans.iter().enumerate() {
            let lengths = [19, 0, 1, 32, 7, 17];
            let data = Data::new(one, &lengths, memories, masked, &mut numbers);
            let error = (0..times(target)).map(|_| check(&module, number, one, &data)).fold(0.0, f64::max);
            if error > bound(one) {
                wrong.push(format!("{error:.1e} {} {sizes:?}", one.name));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn gradients_of_all_rules() {
    targets().iter().for_each(gradients_on);
}

fn gradients_on(target: &Target) {
    let mut numbers = Numbers::new(7);
    let mut wrong = Vec::new();
    let forms = forms([5, 16], 8, 3, 2).into_iter();
    let gradients: Vec<Gradient> = forms.map(crate::tile::adjoint::gradient).collect();
    let module = compile(target, gradients.iter().map(|one| gradient(target, one)).collect());
    for (number, one) in gradients.iter().enumerate() {
        let data = Data::new(&one.scan, &[19, 0, 1, 32, 7], 1, false, &mut numbers);
        let error = (0..times(target)).map(|_| check_gradient(target, &module, number, one, &data, &mut numbers));
        let error = error.fold(0.0, f64::max);
        if error > bound(&one.scan) {
            wrong.push(format!("{error:.1e} {}", one.scan.name));
        }
    }
    assert_none(&wrong);
}

/// Runs a gradient and gives its largest error.
fn check_gradient(
    target: &Target,
    module: &Module,
    kernel: usize,
    gradient: &Gradient,
    data: &Data,
    numbers: &mut Numbers,
) -> f64 {
    let (scan, rows) = (&gradient.scan, data.rows());
    let mut cotangents = |ports: &[Port], count: usize| -> Vec<Vec<f64>> {
        ports.iter().map(|port| numbers.many(count * scan.heads * port.shape.elements())).collect()
    };
    let (outputs, states) = (cotangents(&scan.outputs, rows), cotangents(&scan.states, data.sequences));
    let zeros = |ports: &[Port], count: usize| -> Vec<Vec<f64>> {
        ports.iter().map(|port| vec![0.0; count * scan.heads * port.shape.elements()]).collect()
    };
    let mut expected =
        [zeros(&scan.inputs, rows), zeros(&scan.parameters, data.sequences), zeros(&scan.states, data.sequences)];
    let mut first = 0;
    for (sequence, &length) in data.lengths.iter().enumerate() {
        for head in 0..scan.heads {
            let of = |ports: &[Port], values: &[Vec<f64>], first: usize, count: usize| -> Vec<Vec<f64>> {
                let part = |(port, values): (&Port, &Vec<f64>)| {
                    Data::part(values, port, first, count, own_head(port, head, scan.heads))
                };
                ports.iter().zip(values).map(part).collect()
            };
            let states_before = of(&scan.states, &data.states, sequence, 1);
            let segment = Segment {
                tokens: length,
                inputs: &of(&scan.inputs, &data.inputs, first, length),
                parameters: &of(&scan.parameters, &data.parameters, 0, 1),
                states: &states_before,
                real: None,
                head,
            };
            let cotangents = Results {
                outputs: of(&scan.outputs, &outputs, first, length),
                states: of(&scan.states, &states, sequence, 1),
            };
            let found = gradient.evaluate(&segment, &cotangents);
            let parts = [(found.inputs, first, length), (found.parameters, sequence, 1), (found.states, sequence, 1)];
            for (all, (parts, first, count)) in expected.iter_mut().zip(parts) {
                for (all, part) in all.iter_mut().zip(parts) {
                    let width = part.len() / count.max(1);
                    for row in 0..count {
                        all[((first + row) * scan.heads + head) * width..][..width]
                            .copy_from_slice(&part[row * width..][..width]);
                    }
                }
            }
        }
        first += length;
    }
    let given = [&data.inputs, &data.parameters, &data.states];
    let mut buffers: Vec<Vec<u32>> = given.into_iter().flatten().map(|values| bits(values)).collect();
    buffers.push(integers(&data.segments()));
    buffers.extend(outputs.iter().chain(&states).map(|values| bits(values)));
    let results = buffers.len();
    let nothing = |count: usize| vec![f32::NAN.to_bits(); count];
    buffers.extend(expected.iter().flatten().map(|values| nothing(values.len())));
    let workspace = gradient_workspace(target, gradient);
    buffers.push(nothing(workspace.tokens * rows + workspace.sequences * data.sequences + workspace.constant));
    let run = module.call(kernel, &mut buffers, &data.sizes(), data.sequences * scan.heads);
    run.unwrap_or_else(|fault| panic!("{}: {fault}", scan.name));
    let errors = buffers[results..].iter().zip(expected.iter().flatten()).map(|(f, e)| distance(&floats(f), e));
    errors.fold(0.0, |a, b| if b.is_nan() { f64::INFINITY } else { f64::max(a, b) })
}
