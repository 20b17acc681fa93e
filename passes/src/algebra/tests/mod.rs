//! The algebra against the interpreter.

mod disguise;
mod laws;

use std::collections::BTreeMap;

use mom_dialect::{
    graph::{Op, OpKind, Port, ValueId},
    shape::Type,
};

use mom_dialect::{
    diagnostic::Source,
    graph::UpdateRule,
    reference::{Tensor, evaluate_update_rule},
    rule,
    shape::Axis,
};

use super::{Chain, Decay, chain};

/// Distinct sizes, so that axes cannot be mistaken for each other.
const SIZES: [(&str, usize); 5] = [("key", 3), ("value", 4), ("slot", 2), ("step", 3), ("heads", 5)];

fn instance(text: &str, variant: Option<&str>) -> UpdateRule {
    let file = rule::parse(&Source::new("rule.mom", text)).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let sizes: BTreeMap<String, usize> = SIZES.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect();
    let options = variant.iter().map(|variant| ((*variant).to_owned(), 1.0)).collect();
    file.update_rule(&sizes, &options).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"))
}

fn parse(text: &str) -> UpdateRule {
    instance(text, None)
}

/// All rules that ship, plain and with each of their variants.
fn shipped() -> Vec<(String, UpdateRule)> {
    let mut rules = Vec::new();
    for (name, text) in rule::BUILTIN {
        let file = rule::parse(&Source::new(*name, *text)).expect("a rule that ships");
        rules.push(((*name).to_owned(), instance(text, None)));
        rules.extend(file.variants().map(|variant| (format!("{name} {variant}"), instance(text, Some(variant)))));
    }
    rules
}

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    /// In (-1, 1).
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn tensor(&mut self, shape: Vec<usize>) -> Tensor {
        let count: usize = shape.iter().product();
        Tensor::new(shape, (0..count).map(|_| self.next()).collect::<Vec<f64>>())
    }
}

fn shape(ty: &Type) -> Vec<usize> {
    ty.axes.iter().filter_map(Axis::size).collect()
}

/// The operations that a value needs, as an update rule without states, applied to one token.
fn evaluate(body: &mom_dialect::graph::Body, values: &mut Vec<Option<Tensor>>, wanted: ValueId, head: usize) {
    if values[wanted.index()].is_some() {
        return;
    }
    let op: &Op = body.ops.iter().find(|op| op.results.contains(&wanted)).expect("a reading that is known too late");
    for &operand in &op.operands {
        evaluate(body, values, operand, head);
    }
    let mut one = mom_dialect::graph::Body::default();
    let mut given = Vec::new();
    let mut inputs = Vec::new();
    for (number, &operand) in op.operands.iter().enumerate() {
        let ty = body.ty(operand).clone();
        given.push(one.argument(ty.clone()));
        inputs.push(Port::new(format!("x{number}"), ty));
    }
    let result = one.add(op.kind.clone(), &given, None).expect("a well typed body")[0];
    let ty = one.ty(result).clone();
    let tensors: Vec<Tensor> =
        op.operands.iter().map(|operand| values[operand.index()].clone().expect("evaluated")).collect();
    // Everything is a parameter but for one input that makes one token.
    inputs.insert(0, Port::new("token", Type::scalar()));
    let token = one_with_token(&mut one, &op.kind, &inputs);
    let rule = UpdateRule {
        name: "one".into(),
        inputs: vec![inputs[0].clone()],
        parameters: inputs[1..].to_vec(),
        states: Vec::new(),
        outputs: vec![Port::new("y", ty.clone())],
        body: token.0,
        next: Vec::new(),
        read: vec![token.1],
    };
    let given = [Tensor::new([1], [0.0])].into_iter().chain(tensors).collect::<Vec<_>>();
    let (outputs, _) = evaluate_update_rule(&rule, &given, &[], head).expect("a well typed rule");
    values[wanted.index()] = Some(Tensor::new(shape(&ty), outputs[0].data.clone()));
}

fn one_with_token(
    _: &mut mom_dialect::graph::Body,
    kind: &OpKind,
    ports: &[Port],
) -> (mom_dialect::graph::Body, ValueId) {
    let mut body = mom_dialect::graph::Body::default();
    let arguments: Vec<ValueId> = ports.iter().map(|port| body.argument(port.ty.clone())).collect();
    let result = body.add(kind.clone(), &arguments[1..], None).expect("a well typed body")[0];
    (body, result)
}

fn decay_at(decay: &Decay, values: &[Option<Tensor>], row: usize) -> f64 {
    match decay {
        Decay::None => 1.0,
        Decay::Scalar(value) => values[value.index()].as_ref().expect("evaluated").data[0].exp(),
        Decay::Rows(value) => values[value.index()].as_ref().expect("evaluated").data[row].exp(),
    }
}

/// One token of a chain: normal form by normal form.
fn step(chain: &Chain, given: &[Tensor], states: &mut [Tensor], head: usize) -> Vec<Tensor> {
    let body = &chain.body;
    let mut values: Vec<Option<Tensor>> = vec![None; body.value_count()];
    for (argument, tensor) in body.arguments().into_iter().zip(given) {
        values[argument.index()] = Some(tensor.clone());
    }
    for scan in &chain.scans {
        let rows = scan.rows.size().unwrap_or(1);
        let columns = scan.columns.as_ref().and_then(Axis::size).unwrap_or(1);
        let at = |row: usize, column: usize| if scan.mirrored { column * rows + row } else { row * columns + column };
        let mut value = |id: ValueId| {
            evaluate(body, &mut values, id, head);
            values[id.index()].as_ref().expect("evaluated").data.clone()
        };
        let old = states[scan.state].data.clone();
        if let Decay::Scalar(log) | Decay::Rows(log) = scan.decay {
            value(log);
        }
        let terms: Vec<_> = scan
            .terms
            .iter()
            .map(|term| {
                let w = term.column.map_or(vec![0.0; columns], &mut value);
                let erased = term.erase.map_or(vec![0.0; columns], |erase| {
                    let c = erase.scale.map_or(1.0, |scale| value(scale)[0]);
                    let b = value(erase.row);
                    (0..columns)
                        .map(|column| c * (0..rows).map(|row| b[row] * old[at(row, column)]).sum::<f64>())
                        .collect()
                });
                let v: Vec<f64> = w.iter().zip(erased).map(|(w, e)| w - e).collect();
                (value(term.row), v)
            })
            .collect();
        let queries: Vec<Vec<f64>> = scan.reads.iter().map(|read| value(read.query)).collect();
        let mut new = old.clone();
        for row in 0..rows {
            for column in 0..columns {
                let kept = decay_at(&scan.decay, &values, row) * old[at(row, column)];
                new[at(row, column)] = kept + terms.iter().map(|(u, v)| u[row] * v[column]).sum::<f64>();
            }
        }
        for (read, query) in scan.reads.iter().zip(queries) {
            let state = if read.before { &old } else { &new };
            let data: Vec<f64> = if read.across {
                (0..rows).map(|row| (0..columns).map(|column| query[column] * state[at(row, column)]).sum()).collect()
            } else {
                (0..columns).map(|column| (0..rows).map(|row| query[row] * state[at(row, column)]).sum()).collect()
            };
            values[read.value.index()] = Some(Tensor::new(shape(body.ty(read.value)), data));
        }
        states[scan.state].data = new;
    }
    chain
        .read
        .iter()
        .map(|&read| {
            evaluate(body, &mut values, read, head);
            values[read.index()].clone().expect("evaluated")
        })
        .collect()
}

/// Inputs within their bounds for some tokens and parameters, and states.
fn random_operands(rule: &UpdateRule, tokens: usize) -> (Vec<Tensor>, Vec<Tensor>) {
    let mut numbers = Numbers(7);
    let mut tensor = |port: &Port, rows: Option<usize>| {
        let mut x = numbers.tensor(rows.into_iter().chain(shape(&port.ty)).collect());
        if let Some(bound) = port.at_most {
            x.data.iter_mut().for_each(|x| *x = bound - x.abs());
        }
        x
    };
    let mut given: Vec<Tensor> = rule.inputs.iter().map(|port| tensor(port, Some(tokens))).collect();
    given.extend(rule.parameters.iter().map(|port| tensor(port, None)));
    (given, rule.states.iter().map(|port| tensor(port, None)).collect())
}

/// Compares a rule with its chain over some tokens.
fn agree(rule: &UpdateRule, chain: &Chain) {
    let tokens = 5;
    let (given, start) = random_operands(rule, tokens);
    let (expected, last) = evaluate_update_rule(rule, &given, &start, 2).expect("a well typed rule");
    let mut states = start;
    let close = |a: &[f64], b: &[f64]| {
        let norm = b.iter().map(|x| x * x).sum::<f64>().sqrt();
        let difference = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
        assert!(a.len() == b.len() && difference <= 1e-12 * norm.max(1e-3), "{}: {difference:e} of {norm}", rule.name);
    };
    for token in 0..tokens {
        let row = |x: &Tensor| {
            let width = x.data.len() / tokens;
            Tensor::new(x.shape[1..].to_vec(), x.data[token * width..][..width].to_vec())
        };
        let inputs = given[..rule.inputs.len()].iter().map(row);
        let now: Vec<Tensor> = inputs.chain(given[rule.inputs.len()..].iter().cloned()).collect();
        let read = step(chain, &now, &mut states, 2);
        for (found, expected) in read.iter().zip(&expected) {
            close(&found.data, &row(expected).data);
        }
    }
    for (found, expected) in states.iter().zip(&last) {
        close(&found.data, &expected.data);
    }
}

/// Rules that are no rules of anybody, beside those that ship.
const LOCAL: &[&str] = &[
    // Reads the decayed state, a sum of queries, and twice the same.
    "rule reads(q: key, p: key, k: key, v: value, g: scalar <= 0) { state h: key x value next h = exp(g) * h + k v^T \
     out o = h^T q + 2 * h^T (q + p) out r = silu(h^T q) }",
    // Explicit matrices.
    "rule matrices(q: key, k: key, v: value, b: scalar) { state h: key x value \
     next h = (diag(1 - 0 * k) - b * outer(k, k)) h + k v^T out o = h^T q }",
    // A norm of what is read.
    "rule norm(q: key, k: key, v: value, b: scalar, g: scalar <= 0) { state h: key x value let d = exp(g) * h \
     next h = d + b * outer(k, v - d^T k) let y = h^T q out o = (y - mean(y)) / sqrt(mean((y - mean(y))^2) + 0.1) }",
];

#[test]
fn chains_are_their_rules() {
    let local = LOCAL.iter().map(|text| parse(text)).map(|rule| (rule.name.clone(), rule));
    let without = ["hgrn", "delta_rule beta_vec", "ttt_linear", "titans_l2", "mesa_net"];
    for (name, rule) in shipped().into_iter().chain(local) {
        match chain(&rule) {
            Ok(chain) => agree(&rule, &chain),
            Err(refusal) => assert!(without.contains(&name.as_str()), "{name}: {refusal:?}"),
        }
    }
}

/// The reason and the term for which a rule has no chunk form.
fn refusal(text: &str) -> (String, String) {
    let analysis = super::analyse(&parse(text), false);
    let refused = analysis.refused.clone().unwrap_or_else(|| panic!("{text}: {analysis}"));
    (refused.reason, refused.term)
}

#[test]
fn decays_that_exceed_one_are_refused() {
    for (ports, decay) in [
        ("g: scalar <= 0", "exp(-g)"),
        ("g: scalar", "1 + sigmoid(g)"),
        ("g: scalar <= 0", "2 * exp(g)"),
        ("g: scalar", "1.01"),
    ] {
        let rule = format!(
            "rule grows(q: key, k: key, v: value, {ports}) {{ state h: key x value \
             next h = ({decay}) * h + (1 + 0 * g) * k v^T out o = h^T q }}"
        );
        assert_eq!(refusal(&rule).0, "the decay of `h` can exceed one", "{decay}");
    }
    for decay in ["sigmoid(g) - 0.5", "g", "-exp(g)", "0.5 - sigmoid(min(g, 0))"] {
        let rule = format!(
            "rule signs(q: key, k: key, v: value, g: scalar) {{ state h: key x value \
             next h = ({decay}) * h + k v^T out o = h^T q }}"
        );
        assert_eq!(refusal(&rule).0, "the decay of `h` cannot be shown to be positive", "{decay}");
    }
}

#[test]
fn bounds_show_that_decays_are_at_most_one() {
    for (ports, decay, assumes) in [
        ("g: scalar <= 0", "exp(g)", 0),
        ("g: scalar", "sigmoid(g)", 0),
        ("g: scalar", "(1 - sigmoid(g))", 0),
        ("g: scalar", "(0.5 + 0.5 * sigmoid(g))", 0),
        ("g: scalar", "exp(-softplus(g))", 0),
        ("g: scalar", "exp(g)", 1),
    ] {
        let rule = format!(
            "rule bounded(q: key, k: key, v: value, {ports}) {{ state h: key x value \
             next h = ({decay}) * h + k v^T out o = h^T q }}"
        );
        let analysis = super::analyse(&parse(&rule), false);
        assert_eq!((analysis.refused, analysis.assumptions.len()), (None, assumes), "{decay}");
    }
}

#[test]
fn analyses_name_what_prevents_chunks() {
    let name = |name: &str, variant| {
        let text = rule::BUILTIN.iter().find(|(own, _)| *own == name).expect("a rule that ships").1;
        super::analyse(&instance(text, variant), false)
    };
    let gated = name("gated_delta_rule", None);
    assert_eq!(gated.class, "affine in h; scalar decay exp(g) ≤ 1; one erase, merged with the write");
    assert_eq!(gated.equations[0], "h' = exp(g) h + k (beta v - exp(g) beta (hᵀ k))ᵀ");
    let gated = super::analyse(
        &parse(rule::BUILTIN.iter().find(|(own, _)| *own == "gated_delta_rule").expect("it ships").1),
        true,
    );
    assert!(gated.proof.iter().any(|line| line.ends_with("[product with a second summand]")), "{:?}", gated.proof);
    let term = |analysis: super::Analysis| analysis.refused.map(|refused| refused.term).unwrap_or_default();
    assert_eq!(term(name("delta_rule", Some("beta_vec"))), "-k beta (hᵀ k)");
    assert_eq!(term(name("titans_l2", None)), "eta s");
    assert_eq!(term(name("mesa_net", None)), "solve(beta k k + lamb identity + exp(g) hkk, q)");
}

#[test]
fn saturation_is_small() {
    for (name, rule) in shipped() {
        let imported = super::import::import(&rule).expect("a rule that ships");
        let stages = super::saturate::saturate(&imported, false).stages;
        let nodes: usize = stages.iter().map(|stage| stage.egraph.total_number_of_nodes()).sum();
        assert!(nodes < 2_000, "{name}: {nodes} nodes");
    }
}

#[test]
fn too_many_erases_are_refused() {
    let rule = |erase: &str, steps: usize| {
        format!(
            "rule erases(q: key, g: scalar <= 0, b: step x key, e: step x key, beta: step) {{ axis step = {steps} \
             state h: key x value let d = exp(g) * h next h = d \
             for j in step {{ let m = h - {erase} * e[j] (h^T b[j])^T next h = m - e[j] (m^T b[j])^T }} out o = h^T q }}"
        )
    };
    let instance = |text: &str, steps: usize| {
        let file = rule::parse(&Source::new("rule.mom", text)).expect("a rule");
        let sizes = [("key", 3), ("value", 4), ("step", steps)].map(|(name, size)| (name.to_owned(), size));
        file.update_rule(&sizes.into(), &BTreeMap::new()).expect("a rule")
    };
    let two = rule("beta[j]", 2);
    let two = instance(&two, 2);
    agree(&two, &chain(&two).expect("four erases"));
    for steps in [8, 40] {
        let analysis = super::analyse(&instance(&rule("(1 - beta[j])", steps), steps), true);
        let refused = analysis.refused.expect("a refusal");
        let erases = 2 * steps;
        assert_eq!(
            refused.reason,
            format!(
                "{erases} erases one after the other in a token make too long a product for `h`; chunk forms take at \
                 most 2000 factors"
            )
        );
        assert!(refused.term.contains("(hᵀ b[0])") && refused.span.is_some(), "{refused:?}");
    }
}
