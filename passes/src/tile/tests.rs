//! Adjoints of all operations against finite differences, printed kernels through `mlir-opt`, and refused graphs.

use std::{
    collections::BTreeSet,
    env, fs,
    path::Path,
    process::{self, Command},
    slice,
};

use mom_dialect::graph::Function;

use super::{
    Gradient, Graph, Op, Port, Scan, Schedule, Shape, Value,
    adjoint::gradient,
    evaluate::{Arguments, Segment, evaluate},
    graph::Along,
};

const C: usize = 4;
const D: usize = 3;
const SQUARE: Shape = Shape { rows: C, columns: C };
const ROWS: Shape = Shape { rows: C, columns: D };

/// Numbers that look random, each in (-1, 1) and not near 0.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let unit = (self.0 >> 11) as f64 / (1_u64 << 53) as f64;
        let number = 0.1 + 0.9 * unit;
        if self.0 & 1024 == 0 { number } else { -number }
    }

    pub(crate) fn many(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// Every operation that has operands, with operands' shapes.
fn operations() -> Vec<(Op, Vec<Shape>)> {
    let mut cases = Vec::new();
    for function in Function::ALL {
        let broadcast = [ROWS, Shape::new(1, D), Shape::new(C, 1), Shape::ONE];
        match function.arity() {
            1 => cases.push((Op::Map(function), vec![ROWS])),
            _ => {
                for a in broadcast {
                    cases.extend(broadcast.map(|b| (Op::Map(function), vec![a, b])));
                }
            }
        }
    }
    for (first, second) in [(false, false), (false, true), (true, false), (true, true)] {
        let (a, b) = (Shape::new(2, 3), Shape::new(3, 4));
        let of = |transposed: bool, shape: Shape| if transposed { shape.transposed() } else { shape };
        cases.push((Op::Dot { transpose_a: first, transpose_b: second }, vec![of(first, a), of(second, b)]));
        cases.push((Op::CumSum { reverse: first, exclusive: second }, vec![ROWS]));
        let operands = vec![SQUARE, ROWS, ROWS];
        cases.push((Op::DecayApply { exclusive: first, transposed: second }, operands));
    }
    for flag in [false, true] {
        cases.push((Op::Lower { strict: flag }, vec![SQUARE]));
        cases.push((Op::DecayGram { exclusive: flag }, vec![ROWS, ROWS, ROWS]));
        cases.push((Op::DecayGram { exclusive: flag }, vec![Shape::new(1, D); 3]));
        cases.push((Op::SolveLower { transposed: flag }, vec![SQUARE, ROWS]));
        cases.push((Op::Solve { transposed: flag }, vec![SQUARE, ROWS]));
    }
    cases.extend([
        (Op::Transpose, vec![ROWS]),
        (Op::Sum(Along::Rows), vec![ROWS]),
        (Op::Sum(Along::Columns), vec![ROWS]),
        (Op::Softmax, vec![ROWS]),
        (Op::Slice { row: 1, column: 1, shape: Shape::new(2, 1) }, vec![ROWS]),
        (Op::Pad { row: 1, column: 0, shape: Shape::new(6, 5) }, vec![ROWS]),
        (Op::Interleave { rows: 2, columns: 2 }, vec![ROWS; 4]),
        (Op::Deinterleave { rows: 2, columns: 3, i: 1, j: 2 }, vec![ROWS]),
    ]);
    cases
}

/// A place for each operation: a new one does not compile until it is listed, and the test below wants a case for it.
fn place(op: &Op) -> usize {
    match op {
        Op::Input(_) | Op::Parameter(_) | Op::State(_) | Op::Real | Op::Head | Op::Constant(_) => 0,
        Op::Triangle { .. } => 0,
        Op::Map(_) => 1,
        Op::Lower { .. } => 2,
        Op::Dot { .. } => 3,
        Op::Transpose => 4,
        Op::Sum(_) => 5,
        Op::Softmax => 6,
        Op::CumSum { .. } => 7,
        Op::DecayGram { .. } => 8,
        Op::DecayApply { .. } => 9,
        Op::SolveLower { .. } => 10,
        Op::Solve { .. } => 11,
        Op::Slice { .. } => 12,
        Op::Pad { .. } => 13,
        Op::Interleave { .. } => 14,
        Op::Deinterleave { .. } => 15,
    }
}

fn port(name: impl Into<String>, shape: Shape) -> Port {
    Port { name: name.into(), shape, heads: 1 }
}

/// A kernel whose step has parameters of these shapes and the one result that `make` gives.
fn kernel(shapes: &[Shape], make: impl FnOnce(&mut Graph, &[Value]) -> Value) -> Scan {
    let mut step = Graph::default();
    let arguments: Vec<Value> =
        shapes.iter().enumerate().map(|(index, &shape)| step.argument(Op::Parameter(index), shape)).collect();
    let result = make(&mut step, &arguments);
    step.results = vec![result];
    Scan {
        name: "case".to_owned(),
        schedule: Schedule::RECURRENT,
        heads: 1,
        inputs: Vec::new(),
        parameters: shapes.iter().enumerate().map(|(index, &shape)| port(format!("x{index}"), shape)).collect(),
        states: Vec::new(),
        outputs: vec![port("y", step.shape(result))],
        step,
    }
}

/// Holds the gradient of a kernel with one output against finite differences, at random parameters in the range of
/// `scale`, and answers it.
fn check(what: &str, scan: Scan, scale: impl Fn(usize, f64) -> f64) -> Gradient {
    let mut numbers = Numbers(7);
    let parameters: Vec<Vec<f64>> = scan
        .parameters
        .iter()
        .enumerate()
        .map(|(index, port)| numbers.many(port.shape.elements()).into_iter().map(|x| scale(index, x)).collect())
        .collect();
    let weights = numbers.many(scan.outputs[0].shape.elements());
    let gradient = gradient(scan);
    gradient.verify().unwrap_or_else(|error| panic!("{what}: {error}\n{gradient}"));
    let run = |graph: &Graph, inputs: &[Vec<f64>], parameters: &[Vec<f64>]| {
        evaluate(graph, &Arguments { inputs, parameters, states: &[], real: &[1.0], head: 0 })
    };
    let loss = |parameters: &[Vec<f64>]| -> f64 {
        run(&gradient.scan.step, &[], parameters)[0].iter().zip(&weights).map(|(y, weight)| y * weight).sum()
    };
    let found = run(&gradient.back, slice::from_ref(&weights), &parameters);
    for (index, parameter) in parameters.iter().enumerate() {
        for at in 0..parameter.len() {
            let h = 1e-6;
            let moved = |by: f64| {
                let mut moved = parameters.clone();
                moved[index][at] += by;
                loss(&moved)
            };
            let expected = (moved(h) - moved(-h)) / (2.0 * h);
            let difference = (found[index][at] - expected).abs();
            assert!(
                difference < 1e-7 * (1.0 + expected.abs()),
                "{what}: d x{index}[{at}] is {} not {expected}\n{gradient}",
                found[index][at]
            );
        }
    }
    gradient
}

#[test]
fn adjoints_of_all_operations() {
    let mut places = BTreeSet::from([0]);
    for (op, shapes) in operations() {
        places.insert(place(&op));
        let scan = kernel(&shapes, |graph, arguments| graph.add(op, arguments));
        check(&format!("{op:?} of {shapes:?}"), scan, |index, x| match (op, index) {
            (Op::Map(Function::Sqrt | Function::Log), _) | (Op::Map(Function::Div), 1) => x.abs(),
            (Op::DecayGram { .. } | Op::DecayApply { .. }, 2) => -x.abs(),
            _ => x,
        });
    }
    assert_eq!(places, (0..=15).collect(), "an operation without a case");
}

/// Values that are used twice, by other operations and by themselves.
#[test]
fn adjoints_of_shared_values() {
    let scan = kernel(&[ROWS, Shape::new(1, D)], |graph, arguments| {
        let square = graph.product(arguments[0], arguments[0]);
        let norm = graph.add(Op::Sum(Along::Columns), &[square]);
        let root = graph.map(Function::Sqrt, &[norm]);
        let unit = graph.map(Function::Div, &[arguments[0], root]);
        let gram = graph.dot_tb(unit, unit);
        let solved = graph.add(Op::SolveLower { transposed: false }, &[gram, unit]);
        let scaled = graph.product(solved, arguments[1]);
        graph.sum(scaled, arguments[1])
    });
    check("shared values", scan, |_, x| x);
}

/// The parts of an interleaved value give back one value, not sums with zeros.
#[test]
fn parts_of_an_interleaved_value() {
    let scan = kernel(&[Shape::new(6, 3)], |graph, arguments| {
        let mut part = |i| graph.add(Op::Deinterleave { rows: 2, columns: 1, i, j: 0 }, arguments);
        let (even, odd) = (part(0), part(1));
        graph.product(even, odd)
    });
    let gradient = check("interleaved", scan, |_, x| x);
    let names: Vec<&str> = gradient.back.nodes.iter().map(|node| node.op.name()).collect();
    assert!(!names.contains(&"add") && !names.contains(&"pad"), "{gradient}");
}

/// A gate of -60 leaves a derivative near 1e-26, which no rounding error of the other terms may hide.
#[test]
fn gates_of_minus_sixty() {
    for exclusive in [false, true] {
        let shapes = [ROWS, ROWS, ROWS];
        let scan = kernel(&shapes, |graph, arguments| graph.add(Op::DecayGram { exclusive }, arguments));
        let gradient = gradient(scan);
        let (ones, gates) = (vec![1.0; C * D], vec![-60.0; C * D]);
        let arguments = [ones.clone(), ones, gates];
        let given =
            Arguments { inputs: &[vec![1.0; C * C]], parameters: &arguments, states: &[], real: &[1.0], head: 0 };
        let found = &evaluate(&gradient.back, &given)[2];
        // Row 1 decays what row 0 wrote for row 1 (exclusive: for row 2); all else is smaller by 1e-26.
        let once = (-60.0_f64).exp();
        for (at, gate) in found.iter().enumerate() {
            let row = at / D;
            let expected = if row == 0 || (exclusive && row == C - 1) { 0.0 } else { once };
            assert!((gate - expected).abs() <= 1e-12 * once, "{exclusive}, row {row}: {gate:e}");
        }
    }
}

#[test]
fn a_norm_of_zeros_has_the_subgradient_zero() {
    let scan = kernel(&[Shape::new(1, 2)], |graph, arguments| {
        let norm = graph.dot_tb(arguments[0], arguments[0]);
        graph.map(Function::Sqrt, &[norm])
    });
    let gradient = gradient(scan);
    let given = Arguments { inputs: &[vec![1.0]], parameters: &[vec![0.0; 2]], states: &[], real: &[1.0], head: 0 };
    assert_eq!(evaluate(&gradient.back, &given)[0], [0.0, 0.0]);
}

/// A scan over chunks of four: decayed sums of the inputs, with the state and the partial last step.
fn chunked() -> Scan {
    let schedule = Schedule { chunk: C, sub_block: 2, save: 2 };
    let mut step = Graph::default();
    let (x, g) = (step.argument(Op::Input(0), ROWS), step.argument(Op::Input(1), ROWS));
    let real = step.argument(Op::Real, Shape::new(C, 1));
    let (x, g) = (step.product(x, real), step.product(g, real));
    let state = step.argument(Op::State(0), Shape::new(1, D));
    let ones = step.add(Op::Triangle { n: C, strict: false }, &[]);
    let within = step.add(Op::DecayApply { exclusive: false, transposed: false }, &[ones, x, g]);
    let sums = step.add(Op::CumSum { reverse: false, exclusive: false }, &[g]);
    let decay = step.exp(sums);
    let before = step.product(decay, state);
    let y = step.sum(within, before);
    let last = step.add(Op::Slice { row: C - 1, column: 0, shape: Shape::new(1, D) }, &[y]);
    let head = step.argument(Op::Head, Shape::ONE);
    let marked = step.product(real, head);
    let read = step.sum(y, marked);
    step.results = vec![read, last];
    let vector = Shape::new(1, D);
    Scan {
        name: "sums".to_owned(),
        schedule,
        heads: 2,
        inputs: vec![port("x", vector), port("g", vector)],
        parameters: Vec::new(),
        states: vec![port("h", vector)],
        outputs: vec![Port { heads: 2, ..port("y", vector) }],
        step,
    }
}

#[test]
fn segments_of_any_length() {
    let scan = chunked();
    let gradient = gradient(scan.clone());
    gradient.verify().unwrap();
    for tokens in [0, 1, 4, 5, 13] {
        let mut numbers = Numbers(3);
        let mut inputs = [numbers.many(tokens * D), numbers.many(tokens * D)];
        inputs[1].iter_mut().for_each(|gate| *gate = -gate.abs());
        let states = [numbers.many(D)];
        // Two tokens are padding; what they hold must not matter.
        let real: Vec<bool> = (0..tokens).map(|token| token != 2 && token != 9).collect();
        let is_real = |at: usize| real[at / D];
        (0..tokens * D).filter(|&at| !is_real(at)).for_each(|at| inputs[0][at] = f64::NAN);
        let segment = Segment { tokens, inputs: &inputs, parameters: &[], states: &states, real: Some(&real), head: 1 };
        let results = scan.evaluate(&segment);
        let mut state = states[0].clone();
        for (token, &is_real) in real.iter().enumerate() {
            let y = &results.outputs[0][token * D..][..D];
            for d in 0..D {
                let at = token * D + d;
                if is_real {
                    state[d] = inputs[1][at].exp() * state[d] + inputs[0][at];
                }
                let expected = if is_real { state[d] + 1.0 } else { 0.0 };
                assert!((y[d] - expected).abs() < 1e-12, "{tokens} tokens, token {token}");
            }
        }
        assert!(results.states[0].iter().zip(&state).all(|(found, expected)| (found - expected).abs() < 1e-12));

        let weights =
            super::evaluate::Results { outputs: vec![numbers.many(tokens * D)], states: vec![numbers.many(D)] };
        let loss = |inputs: &[Vec<f64>], states: &[Vec<f64>]| -> f64 {
            let results = scan.evaluate(&Segment { inputs, states, ..segment });
            let pairs = [(&results.outputs[0], &weights.outputs[0]), (&results.states[0], &weights.states[0])];
            pairs.iter().flat_map(|(y, weight)| y.iter().zip(weight.iter())).map(|(y, weight)| y * weight).sum()
        };
        let found = gradient.evaluate(&segment, &weights);
        let h = 1e-6;
        for index in 0..2 {
            for at in 0..tokens * D {
                let moved = |by: f64| {
                    let mut moved = inputs.clone();
                    moved[index][at] += by;
                    loss(&moved, &states)
                };
                let expected = if is_real(at) { (moved(h) - moved(-h)) / (2.0 * h) } else { 0.0 };
                assert!((found.inputs[index][at] - expected).abs() < 1e-7, "{tokens} tokens, input {index}, {at}");
            }
        }
        for at in 0..D {
            let moved = |by: f64| {
                let mut moved = states.clone();
                moved[0][at] += by;
                loss(&inputs, &moved)
            };
            let expected = (moved(h) - moved(-h)) / (2.0 * h);
            assert!((found.states[0][at] - expected).abs() < 1e-7, "{tokens} tokens, state {at}");
        }
    }
}

#[test]
fn text_is_mlir() {
    let chunked = chunked();
    let mut text = format!("{chunked}{}", gradient(chunked.clone()));
    for (number, (op, shapes)) in operations().into_iter().enumerate() {
        let scan = kernel(&shapes, |graph, arguments| graph.add(op, arguments));
        let gradient = gradient(Scan { name: format!("case{number}"), ..scan });
        text += &format!("{}{gradient}", gradient.scan);
    }
    for value in [1e-30, -1.5e300, 2.0, f64::INFINITY, f64::NAN] {
        let scan = kernel(&[Shape::ONE], |graph, _| graph.constant(value));
        text += &Scan { name: format!("constant{}", value.to_bits()), ..scan }.to_string();
    }
    assert!(
        text.contains("\"tile.dot\"(%0, %1) {transpose_b} : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>")
    );
    let tools = ["/usr/lib/llvm-22/bin/mlir-opt", "/usr/bin/mlir-opt-22"];
    let Some(tool) = tools.into_iter().find(|tool| Path::new(tool).exists()) else { return };
    let file = env::temp_dir().join(format!("momc-tile-{}.mlir", process::id()));
    fs::write(&file, &text).unwrap();
    let output =
        Command::new(tool).args(["--allow-unregistered-dialect", "-o", "/dev/null"]).arg(&file).output().unwrap();
    fs::remove_file(&file).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn graphs_that_are_refused() {
    let refused = |change: fn(&mut Scan), expected: &str| {
        let mut scan = chunked();
        assert_eq!(scan.verify(), Ok(()));
        change(&mut scan);
        let error = scan.verify().unwrap_err();
        assert_eq!(error, expected);
    };
    refused(|scan| scan.schedule.sub_block = 3, "`sums`: sub-blocks of 3 rows do not divide 4");
    refused(|scan| scan.inputs[0].heads = 3, "`sums`: the 3 heads of `x` do not divide 2");
    refused(
        |scan| scan.inputs[0].shape = Shape::new(1, 2),
        "`sums`: %0 (`input`) is no argument of this shape; found () -> [4, 3]",
    );
    refused(|scan| scan.step.results.swap(0, 1), "`sums`: the results are ([1, 3], [4, 3]), not ([4, 3], [1, 3])");
    refused(
        |scan| scan.step.nodes[7].operands[0] = Value(0),
        "`sums`: %7 (`decay_apply`) needs a square operand and two of one shape with as many rows; \
         found ([4, 3], [4, 3], [4, 3]) -> [4, 3]",
    );
    refused(|scan| scan.step.nodes.swap(8, 9), "`sums`: %8 (`exp`) uses a value that is made later");
}
