//! What expressions, loops and variants compute, by evaluating them on small numbers.

use std::collections::BTreeMap;

use super::{read, sizes};
use crate::{
    diagnostic::Severity,
    graph::{OpKind, Port, UpdateRule},
    reference::{Tensor, evaluate_update_rule},
    shape::Axis,
};

fn with_options(text: &str, set: &[(&str, f64)]) -> UpdateRule {
    let options = set.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let rule = read(text).and_then(|file| file.update_rule(&sizes(), &options));
    rule.unwrap_or_else(|diagnostics| panic!("{diagnostics:#?}"))
}

/// What one token reads from a zero state: the elements of all outputs.
fn token(rule: &UpdateRule, given: &[&[f64]], head: usize) -> Vec<f64> {
    let shape = |port: &Port| port.ty.axes.iter().filter_map(Axis::size).collect::<Vec<_>>();
    let inputs = rule.inputs.iter().map(|port| [&[1], &shape(port)[..]].concat());
    let shapes = inputs.chain(rule.parameters.iter().map(shape));
    let given: Vec<Tensor> = shapes.zip(given).map(|(shape, data)| Tensor::new(shape, data.to_vec())).collect();
    let states: Vec<Tensor> = rule.states.iter().map(|port| Tensor::zeros(shape(port))).collect();
    let (outputs, _) = evaluate_update_rule(rule, &given, &states, head).unwrap();
    outputs.into_iter().flat_map(|output| output.data).collect()
}

/// The value of an expression over `a` and `b`, two vectors with two entries, and `m = a b^T` and `n = b b^T`.
fn value(expression: &str) -> Vec<f64> {
    let text = format!(
        "rule r(a: slot, b: slot) {{ state s: slot
         next s = s + a + b
         let m = a b^T
         let n = outer(b, b)
         let use = m n
         out o = {expression}
         out u = use s }}"
    );
    let rule = with_options(&text, &[]);
    let all = token(&rule, &[&[2.0, -1.0], &[3.0, 5.0]], 1);
    all[..all.len() - 2].to_vec()
}

fn close(found: &[f64], expected: &[f64]) -> bool {
    found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-12 * b.abs().max(1.0))
}

#[test]
fn functions_are_what_their_names_say() {
    let softplus = |x: f64| (1.0 + x.exp()).ln();
    let norm = (13.0f64 - 8.0 + 1e-6).sqrt();
    let total = 2f64.exp() + (-1f64).exp();
    for (expression, expected) in [
        ("exp(a)", vec![2f64.exp(), (-1f64).exp()]),
        ("log(b)", vec![3f64.ln(), 5f64.ln()]),
        ("sqrt(b)", vec![3f64.sqrt(), 5f64.sqrt()]),
        ("logsigmoid(a)", vec![-softplus(-2.0), -softplus(1.0)]),
        ("relu(a)", vec![2.0, 0.0]),
        ("tanh(a)", vec![2f64.tanh(), (-1f64).tanh()]),
        ("max(a, 1)", vec![2.0, 1.0]),
        ("min(a, b)", vec![2.0, -1.0]),
        ("clamp(b, 0, 4)", vec![3.0, 4.0]),
        ("less(a, b - 2)", vec![0.0, 1.0]),
        ("softmax(a)", vec![2f64.exp() / total, (-1f64).exp() / total]),
        ("l2_norm(a)", vec![2.0 / norm, -1.0 / norm]),
        ("sum(a) * b", vec![3.0, 5.0]),
        ("mean(b)", vec![4.0]),
        ("a^2 + b^3 - a^4", vec![4.0 + 27.0 - 16.0, 1.0 + 125.0 - 1.0]),
        ("2^a", vec![4.0, 0.5]),
        ("head * a", vec![2.0, -1.0]),
        ("heads * a", vec![4.0, -2.0]),
        ("a[1]", vec![-1.0]),
    ] {
        assert!(close(&value(expression), &expected), "{expression}: {:?}", value(expression));
    }
}

#[test]
fn square_matrices_multiply_as_on_paper() {
    // m = [6 10; -3 -5], n = [9 15; 15 25]
    for (expression, expected) in [
        ("m", vec![6.0, 10.0, -3.0, -5.0]),
        ("m^T", vec![6.0, -3.0, 10.0, -5.0]),
        ("m + m^T", vec![12.0, 7.0, 7.0, -10.0]),
        ("m^T - m", vec![0.0, -13.0, 13.0, 0.0]),
        ("m a", vec![2.0, -1.0]),
        ("m^T a", vec![15.0, 25.0]),
        ("(a^T m)^T", vec![15.0, 25.0]),
        ("m n", vec![204.0, 340.0, -102.0, -170.0]),
        ("n m^T", vec![204.0, -102.0, 340.0, -170.0]),
        ("m^T m^T", vec![6.0, -3.0, 10.0, -5.0]),
        ("m m m", vec![6.0, 10.0, -3.0, -5.0]),
        ("diag(a) m", vec![12.0, 20.0, 3.0, 5.0]),
        ("m diag(a)", vec![12.0, -10.0, -6.0, 5.0]),
        ("m^T diag(a)", vec![12.0, 3.0, 20.0, 5.0]),
        ("m + diag(a)", vec![8.0, 10.0, -3.0, -6.0]),
        ("diag(a) + m^T", vec![8.0, -3.0, 10.0, -6.0]),
        ("m[1]", vec![-3.0, -5.0]),
        ("(m^T)[1]", vec![10.0, -5.0]),
    ] {
        assert!(close(&value(expression), &expected), "{expression}: {:?}", value(expression));
    }
}

#[test]
fn a_solution_solves() {
    for (matrix, [a, b, c, d]) in
        [("m + diag(a)", [8.0, 10.0, -3.0, -6.0]), ("(m + diag(a))^T", [8.0, -3.0, 10.0, -6.0])]
    {
        let x = value(&format!("solve({matrix}, b)"));
        assert!(close(&[a * x[0] + b * x[1], c * x[0] + d * x[1]], &[3.0, 5.0]), "{matrix}: {x:?}");
    }
}

#[test]
fn a_square_state_can_become_its_transpose() {
    let text = "rule r(a: slot, b: slot) { state m: slot x slot
        next m = (m + a b^T)^T
        out o = m a }";
    // The state is b a^T.
    assert!(close(&token(&with_options(text, &[]), &[&[2.0, -1.0], &[3.0, 5.0]], 0), &[15.0, 25.0]));
}

#[test]
fn sums_of_a_matrix_go_along_the_axis_that_is_named() {
    let text =
        |out: &str| format!("rule r(k: key, s: slot) {{ state h: key x slot\n next h = h + k s^T\n out o = {out} }}");
    let given: [&[f64]; 2] = [&[1.0, 2.0, 3.0, 4.0], &[1.0, -1.0]];
    let found = |out: &str| token(&with_options(&text(out), &[]), &given, 0);
    assert!(close(&found("sum(h, key)"), &[10.0, -10.0]));
    assert!(close(&found("mean(h, slot)"), &[0.0; 4]));
    let softmax = found("softmax(h, slot)");
    assert!(softmax.chunks(2).all(|row| (row[0] + row[1] - 1.0).abs() < 1e-12));
}

const STEPS: &str = "rule r(q: key, k: step x key, v: step x value, b: step) {
  axis step = 2
  state h: key x value
  next h = 0.5 * h
  for j in step {
    let error = v[j] - h^T k[j]
    next h = h + b[j] * outer(k[j], error)
  }
  out o = h^T q + 0 * v[0]
}";

#[test]
fn a_loop_is_unrolled() {
    for steps in [1, 2, 5] {
        let sizes = [("step", steps), ("key", 4), ("value", 3)].map(|(axis, size)| (axis.to_owned(), size)).into();
        let rule = read(STEPS).unwrap().update_rule(&sizes, &BTreeMap::new()).unwrap();
        let entries =
            rule.body.ops.iter().filter(|op| matches!(&op.kind, OpKind::Slice { axis, .. } if axis == "step"));
        assert_eq!(entries.count(), 4 * steps + 1);
        // Each turn writes what is left to say at the same key, so half of what is missing.
        let k: Vec<f64> = (0..steps).flat_map(|_| [1.0, 0.0, 0.0, 0.0]).collect();
        let v: Vec<f64> = (0..steps).flat_map(|_| [1.0, 2.0, 3.0]).collect();
        let found = token(&rule, &[&[1.0, 0.0, 0.0, 0.0], &k, &v, &vec![0.5; steps]], 0);
        let part = 1.0 - 0.5f64.powi(steps as i32);
        assert!(close(&found, &[part, 2.0 * part, 3.0 * part]), "{found:?}");
    }
    let file = read(STEPS).unwrap();
    assert_eq!(file.axes().collect::<Vec<_>>(), [("step", 2)]);
    assert_eq!(file.update_rule(&sizes(), &BTreeMap::new()).unwrap().inputs[3].ty.describe(), "f32 [step 2]");
}

const VARIANTS: &str = "rule r(k: key, b: scalar <= 1) {
  parameter rate: scalar = 0.25 <= 1
  option power = 1
  state h: key
  next h = rate * h + power * b * k
  out o = h
}
variant raw(x: scalar, parameter bias: scalar) { b = x + bias }
variant twice() { b = 2 * b }
variant each(b: key) {}
variant none() { b = 0 }";

#[test]
fn variants_stand_before_the_inputs() {
    let names = |on: &[&str]| {
        let interface = read(VARIANTS).unwrap().interface(on).unwrap();
        let names = |values: &[crate::rule::Value]| values.iter().map(|v| v.name.clone()).collect::<Vec<_>>().join(" ");
        (names(&interface.inputs), names(&interface.parameters))
    };
    assert_eq!(names(&[]), ("k b".into(), "rate".into()));
    assert_eq!(names(&["raw"]), ("k x".into(), "bias rate".into()));
    assert_eq!(names(&["twice", "raw"]), ("k x".into(), "bias rate".into()));
    assert_eq!(names(&["none"]), ("k".into(), "rate".into()));
    let k: &[f64] = &[1.0, 2.0, 3.0, 4.0];
    let on = |set: &[(&str, f64)], given: &[&[f64]]| token(&with_options(VARIANTS, set), given, 0)[1];
    assert_eq!(on(&[], &[k, &[3.0], &[1.0]]), 6.0);
    assert_eq!(on(&[("raw", 1.0)], &[k, &[3.0], &[0.5], &[1.0]]), 7.0);
    assert_eq!(on(&[("raw", 1.0), ("twice", 1.0)], &[k, &[3.0], &[0.5], &[1.0]]), 14.0);
    assert_eq!(on(&[("none", 1.0), ("raw", 0.0)], &[k, &[1.0]]), 0.0);
    assert_eq!(on(&[("each", 1.0), ("twice", 1.0), ("power", 3.0)], &[k, k, &[1.0]]), 24.0);
}

#[test]
fn bounds_and_defaults_are_told() {
    let file = read(VARIANTS).unwrap();
    let interface = file.interface(&[]).unwrap();
    assert_eq!((interface.inputs[1].at_most, interface.parameters[0].at_most), (Some(1.0), Some(1.0)));
    assert_eq!((interface.inputs[1].default, interface.parameters[0].default), (None, Some(0.25)));
    let rule = file.update_rule(&sizes(), &BTreeMap::new()).unwrap();
    assert_eq!((rule.inputs[0].at_most, rule.inputs[1].at_most), (None, Some(1.0)));
    assert_eq!(file.options().collect::<Vec<_>>(), [("power", "1".to_owned())]);
    assert_eq!(file.variants().collect::<Vec<_>>(), ["raw", "twice", "each", "none"]);
    let unknown = file.interface(&["twise"]).unwrap_err();
    assert_eq!(unknown[0].help.as_deref(), Some("did you mean `twice`?"));
}

#[test]
fn a_shipped_rule_of_matrices_that_are_not_square_relabels_nothing() {
    for (name, text) in crate::rule::BUILTIN {
        let file = read(text).unwrap();
        let rule = file.update_rule(&sizes(), &BTreeMap::new()).unwrap();
        let square = rule.states.iter().any(|state| state.ty.axes.iter().any(|axis| axis.name().ends_with('\'')));
        let relabels = rule.body.ops.iter().any(|op| matches!(op.kind, OpKind::Relabel { .. }));
        assert!(square || !relabels, "{name}");
    }
}

#[test]
fn spoilt_rules_are_refused_or_well_typed() {
    const OTHERS: [&str; 18] = [
        "^T",
        "[0]",
        "[j]",
        "diag(",
        ")",
        "softmax(",
        "solve(",
        "head",
        " x ",
        "k k^T",
        "(h^T h)",
        "^2",
        "2^",
        "<= 0",
        "}",
        "for j in key {",
        "\nnext h = h\n",
        "variant z(a: key) { k = a }",
    ];
    let mut state = 1u64;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % limit
    };
    for _ in 0..1500 {
        let (_, text) = crate::rule::BUILTIN[below(crate::rule::BUILTIN.len())];
        let mut words: Vec<&str> = text.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_').collect();
        for _ in 0..=below(3) {
            let (at, other) = (below(words.len()), words[below(words.len())]);
            match below(4) {
                0 => drop(words.remove(at)),
                1 => words[at] = other,
                2 => words[at] = OTHERS[below(OTHERS.len())],
                _ => words.insert(at, OTHERS[below(OTHERS.len())]),
            }
        }
        let text = words.concat();
        let Ok(file) = read(&text) else { continue };
        let all = file.variants().map(|variant| (variant.to_owned(), 1.0)).collect();
        for options in [BTreeMap::new(), all] {
            match file.update_rule(&sizes(), &options) {
                Ok(rule) => {
                    let read = rule.read.iter().zip(&rule.outputs);
                    for (&value, port) in rule.next.iter().zip(&rule.states).chain(read) {
                        assert_eq!(*rule.body.ty(value), port.ty, "{text}");
                    }
                }
                Err(found) => assert!(found.iter().all(|one| one.severity != Severity::Bug), "{found:#?}\n{text}"),
            }
        }
    }
}

/// What some editors put at the beginning of a file, and the ends of lines of another system.
#[test]
fn a_mark_of_utf8_and_carriage_returns_mean_nothing() {
    for (name, text) in crate::rule::BUILTIN {
        let rule = |text: &str| read(text).unwrap_or_else(|found| panic!("{name}: {found:?}"));
        let marked = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        assert_eq!(rule(&marked).interface(&[]), rule(text).interface(&[]));
    }
}
