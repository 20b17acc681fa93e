//! The same recurrence under other names and in other words.

use mom_dialect::{
    graph::{Body, Function, Op, OpKind, UpdateRule, ValueId},
    reference::evaluate_update_rule,
    shape::{Axis, Type},
};

use super::{super::chain, Numbers, random_operands, shipped};

/// Another name for an axis or a port.
fn renamed(name: &str) -> String {
    format!("z{}", name.chars().rev().collect::<String>())
}

fn axis(axis: &Axis) -> Axis {
    match axis {
        Axis::Named { name, size } => Axis::named(renamed(name), *size),
        rows => rows.clone(),
    }
}

fn ty(ty: &Type) -> Type {
    Type::new(ty.dtype, ty.axes.iter().map(axis).collect::<Vec<_>>())
}

/// A rule in which every port and axis has another name.
fn rename(rule: &UpdateRule) -> UpdateRule {
    let mut other = rule.clone();
    other.name = renamed(&rule.name);
    for ports in [&mut other.inputs, &mut other.parameters, &mut other.states, &mut other.outputs] {
        for port in ports {
            port.name = renamed(&port.name);
            port.ty = ty(&port.ty);
        }
    }
    let mut rewriter = Rewriter::new(rule, ty);
    for op in &rule.body.ops {
        let operands = rewriter.operands(op);
        let kind = match op.kind.clone() {
            OpKind::Sum { axis } => OpKind::Sum { axis: renamed(&axis) },
            OpKind::Softmax { axis } => OpKind::Softmax { axis: renamed(&axis) },
            OpKind::Slice { axis, index } => OpKind::Slice { axis: renamed(&axis), index },
            OpKind::Place { axis, size, index } => OpKind::Place { axis: renamed(&axis), size, index },
            OpKind::Identity { axes, size } => OpKind::Identity { axes: axes.map(|axis| renamed(&axis)), size },
            OpKind::Relabel { axes } => {
                OpKind::Relabel { axes: axes.iter().map(|(a, b)| (renamed(a), renamed(b))).collect() }
            }
            kind => kind,
        };
        let result = rewriter.add(kind, &operands);
        rewriter.map(op, result);
    }
    rewriter.finish(other)
}

/// Writes a body again, operation by operation.
struct Rewriter {
    body: Body,
    /// What became of each value.
    values: Vec<ValueId>,
}

impl Rewriter {
    fn new(rule: &UpdateRule, ty: impl Fn(&Type) -> Type) -> Self {
        let mut body = Body::default();
        let mut values = vec![ValueId(u32::MAX); rule.body.value_count()];
        for argument in rule.body.arguments() {
            values[argument.index()] = body.argument(ty(rule.body.ty(argument)));
        }
        Self { body, values }
    }

    fn operands(&self, op: &Op) -> Vec<ValueId> {
        op.operands.iter().map(|operand| self.values[operand.index()]).collect()
    }

    fn add(&mut self, kind: OpKind, operands: &[ValueId]) -> ValueId {
        self.body.add(kind, operands, None).expect("operands that fit")[0]
    }

    fn function(&mut self, function: Function, operands: &[ValueId]) -> ValueId {
        self.add(OpKind::Elementwise(function), operands)
    }

    fn map(&mut self, op: &Op, value: ValueId) {
        self.values[op.results[0].index()] = value;
    }

    fn finish(self, mut rule: UpdateRule) -> UpdateRule {
        for values in [&mut rule.next, &mut rule.read] {
            values.iter_mut().for_each(|value| *value = self.values[value.index()]);
        }
        rule.body = self.body;
        rule
    }

    /// The operands of the operation that made a value, if it is this one.
    fn made_by(&self, value: ValueId, function: Function) -> Option<[ValueId; 2]> {
        let op = self.body.ops.iter().find(|op| op.results[0] == value)?;
        match (&op.kind, &op.operands[..]) {
            (OpKind::Elementwise(own), &[a, b]) if *own == function => Some([a, b]),
            _ => None,
        }
    }

    /// One operation in one of several equal ways.
    fn disguised(&mut self, kind: &OpKind, operands: &[ValueId], numbers: &mut Numbers) -> ValueId {
        use Function::{Add, Mul, Neg, Sub};
        let choice = ((numbers.next() + 1.0) * 2.0) as usize;
        let minus_one = |this: &mut Self| this.add(OpKind::Constant { value: -1.0 }, &[]);
        match (kind, operands) {
            (OpKind::Elementwise(Add), &[a, b]) => match (choice, self.made_by(b, Add), self.made_by(b, Sub)) {
                (0 | 1, Some([b, c]), _) => {
                    let sum = self.function(Add, &[a, b]);
                    self.function(Add, &[sum, c])
                }
                (0 | 1, _, Some([b, c])) => {
                    let sum = self.function(Add, &[a, b]);
                    self.function(Sub, &[sum, c])
                }
                (2, ..) => {
                    let negative = self.function(Neg, &[b]);
                    self.function(Sub, &[a, negative])
                }
                _ => self.function(Add, &[b, a]),
            },
            (OpKind::Elementwise(Sub), &[a, b]) => match choice {
                0 => {
                    let negative = self.function(Neg, &[b]);
                    self.function(Add, &[negative, a])
                }
                1 | 2 => {
                    let one = minus_one(self);
                    let negative = self.function(Mul, &[b, one]);
                    self.function(Add, &[a, negative])
                }
                _ => self.function(Sub, &[a, b]),
            },
            (OpKind::Elementwise(Neg), &[x]) => {
                let one = minus_one(self);
                self.function(Mul, &[one, x])
            }
            (OpKind::Elementwise(Mul), &[a, b]) => {
                match (choice, self.made_by(b, Add), self.made_by(b, Sub), self.made_by(b, Mul)) {
                    (0 | 1, Some([b, c]), ..) => {
                        let products = [self.function(Mul, &[a, b]), self.function(Mul, &[c, a])];
                        self.function(Add, &products)
                    }
                    (0 | 1, _, Some([b, c]), _) => {
                        let products = [self.function(Mul, &[a, b]), self.function(Mul, &[c, a])];
                        self.function(Sub, &products)
                    }
                    (0..=2, .., Some([b, c])) => {
                        let product = self.function(Mul, &[a, c]);
                        self.function(Mul, &[product, b])
                    }
                    _ => self.function(Mul, &[b, a]),
                }
            }
            (OpKind::Contract, &[a, b]) => {
                let shared: Vec<Axis> =
                    self.body.ty(a).axes.iter().filter(|axis| self.body.ty(b).has(axis)).cloned().collect();
                match (choice, self.made_by(a, Add), self.made_by(b, Mul)) {
                    // Each summand must have the axes that are summed over.
                    (0 | 1, Some([x, y]), _)
                        if [x, y].iter().all(|x| self.body.ty(*x).axes.len() == self.body.ty(a).axes.len()) =>
                    {
                        let sums = [self.add(OpKind::Contract, &[x, b]), self.add(OpKind::Contract, &[y, b])];
                        self.function(Add, &sums)
                    }
                    (2 | 3, ..) => {
                        let product = self.function(Mul, &[a, b]);
                        shared.iter().fold(product, |x, axis| self.add(OpKind::Sum { axis: axis.name() }, &[x]))
                    }
                    _ => self.add(OpKind::Contract, &[a, b]),
                }
            }
            (kind, operands) => self.add(kind.clone(), operands),
        }
    }
}

/// The rule in other words: sums and products distributed, in another order, with other signs, contractions as sums.
fn disguise(rule: &UpdateRule, numbers: &mut Numbers) -> UpdateRule {
    let mut rewriter = Rewriter::new(rule, Type::clone);
    for op in &rule.body.ops {
        let operands = rewriter.operands(op);
        let disguised = rewriter.disguised(&op.kind, &operands, numbers);
        // The order of a type's axes is how its numbers lie in memory, which must stay.
        let value = match rewriter.body.ty(disguised) == rule.body.ty(op.results[0]) {
            true => disguised,
            false => rewriter.add(op.kind.clone(), &operands),
        };
        rewriter.map(op, value);
    }
    rewriter.finish(rule.clone())
}

#[test]
fn names_decide_nothing() {
    for (name, rule) in shipped() {
        let (own, other) = (chain(&rule), chain(&rename(&rule)));
        match (own, other) {
            (Ok(own), Ok(other)) => {
                let mut text = format!("{other:?}");
                let ports: Vec<_> = rule.arguments().chain(&rule.outputs).collect();
                let axes = ports.iter().flat_map(|port| &port.ty.axes).map(Axis::name);
                let mut names: Vec<String> = ports.iter().map(|port| port.name.clone()).chain(axes).collect();
                names.sort();
                names.dedup();
                for own in names {
                    text = text.replace(&format!("\"{}\"", renamed(&own)), &format!("\"{own}\""));
                }
                assert_eq!(format!("{own:?}"), text, "{name}");
            }
            (Err(own), Err(other)) => {
                assert_eq!((own.place, own.reason, own.term), (other.place, other.reason, other.term), "{name}");
            }
            (own, other) => panic!("{name}: {own:?} {other:?}"),
        }
    }
}

#[test]
fn other_words_give_the_same_chain() {
    let mut numbers = Numbers(11);
    for (name, rule) in shipped() {
        let own = chain(&rule);
        for _ in 0..4 {
            let other = disguise(&rule, &mut numbers);
            let (given, states) = random_operands(&rule, 3);
            let expected = evaluate_update_rule(&rule, &given, &states, 1).expect("a well typed rule");
            let found = evaluate_update_rule(&other, &given, &states, 1).expect("a well typed rule");
            let outputs = expected.0.iter().chain(&expected.1).zip(found.0.iter().chain(&found.1));
            for (a, b) in outputs.flat_map(|(a, b)| a.data.iter().zip(&b.data)) {
                assert!((a - b).abs() <= 1e-9 * a.abs().max(1.0), "{name}: the disguise is another rule");
            }
            match (&own, chain(&other)) {
                (Ok(own), Ok(other)) => assert_eq!(own, &other, "{name}"),
                (Err(own), Err(other)) => {
                    assert_eq!((own.place, &own.reason), (other.place, &other.reason), "{name}");
                }
                (own, other) => panic!("{name}: {own:?} {other:?}"),
            }
        }
    }
}
