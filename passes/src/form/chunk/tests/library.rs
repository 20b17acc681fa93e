//! The rules that ship, by the chain that the algebra makes of them.

use std::collections::BTreeMap;

use mom_dialect::{diagnostic::Source, graph::UpdateRule, rule};

use super::{Cotangents, Data, GATES, chunk, gradient, recurrent, schedule, worst};
use crate::{
    algebra,
    form::{Heads, tests::shipped},
    tile::{Op, Scan, Schedule, flops::flops, graph::Node},
};

/// Every rule that ships has a chunk form but for these.
const WITHOUT: [&str; 5] = ["hgrn", "delta_rule_beta_vec", "ttt_linear", "titans_l2", "mesa_net"];

/// The rules that have a chunk form, with it.
fn forms() -> Vec<(UpdateRule, Scan)> {
    let mut forms = Vec::new();
    for rule in shipped() {
        match form(&rule, &schedule(8)) {
            Ok(scan) => forms.push((rule, scan)),
            Err(error) => assert!(WITHOUT.contains(&&rule.name[..]), "{}: {error}", rule.name),
        }
    }
    forms
}

fn form(rule: &UpdateRule, schedule: &Schedule) -> Result<Scan, String> {
    let chain = algebra::chain(rule).map_err(|refusal| format!("{refusal:?}"))?;
    let scan = chunk(&chain, &Heads::equal(2, rule), schedule)?;
    scan.verify().unwrap_or_else(|error| panic!("{}: {error}\n{scan}", rule.name));
    Ok(scan)
}

#[test]
fn equal_the_interpreter() {
    for (rule, scan) in forms() {
        for (tokens, gates) in [1, 8, 21].into_iter().flat_map(|tokens| GATES.map(|gates| (tokens, gates))) {
            let data = Data::new(&rule, tokens, gates);
            let (found, expected) = (scan.evaluate(&data.segment()), data.expected(&rule));
            let error = worst(&found.outputs, &expected.outputs).max(worst(&found.states, &expected.states));
            assert!(error < 1e-12, "{}, {tokens} tokens, {gates:?}: {error:e}", rule.name);
        }
    }
}

#[test]
fn gradients_equal_those_of_the_recurrent_form() {
    for (rule, scan) in forms() {
        let recurrent = recurrent(&rule, &Heads::equal(2, &rule), &schedule(1)).expect("a recurrent form");
        let (recurrent, chunk) = (gradient(recurrent), gradient(scan));
        chunk.verify().unwrap_or_else(|error| panic!("{}: {error}\n{chunk}", rule.name));
        for (tokens, gates) in [1, 8, 21].into_iter().flat_map(|tokens| GATES.map(|gates| (tokens, gates))) {
            let data = Data::new(&rule, tokens, gates);
            let cotangents = data.cotangents(&rule);
            let pairs = |c: Cotangents| [c.inputs, c.parameters, c.states].concat();
            let found = pairs(chunk.evaluate(&data.segment(), &cotangents));
            let expected = pairs(recurrent.evaluate(&data.segment(), &cotangents));
            let error = worst(&found, &expected);
            assert!(error < 1e-10, "{}, {tokens} tokens, {gates:?}: gradient {error:e}", rule.name);
        }
    }
}

/// Per token, a step of the gated delta rule costs `6·dk·dv` for what concerns the state and `C` times the width for
/// each of four triangular products: two Gram matrices, the solve and the reading. What decays before it erases needs
/// no other decays than its readings.
#[test]
fn cost_of_the_gated_delta_rule() {
    for name in ["gated_delta_rule", "kda"] {
        let (_, text) = rule::BUILTIN.iter().find(|(own, _)| *own == name).expect("a rule that ships");
        let file = rule::parse(&Source::new(name, *text)).expect("a rule");
        let (dk, dv, chunk) = (128, 64, 32);
        let sizes = [("key", dk), ("value", dv)].map(|(axis, size)| (axis.to_owned(), size));
        let rule = file.update_rule(&sizes.into(), &BTreeMap::new()).expect("a rule");
        let scan = form(&rule, &schedule(chunk)).expect("a chunk form");
        assert_eq!(flops(&scan.step).products, (chunk * (6 * dk * dv + 2 * chunk * (dk + dv))) as f64);
        let is_exclusive = |node: &Node| node.op == Op::CumSum { reverse: false, exclusive: true };
        assert!(!scan.step.nodes.iter().any(is_exclusive), "{scan}");
        let ratio = flops(&gradient(scan.clone()).back).products / flops(&scan.step).products;
        assert!(ratio < 3.0, "{name}: the way back costs {ratio} times the way forward");
    }
}
