//! From the body of an update rule to terms: every value is written out with an index for each of its axes.

use std::collections::BTreeMap;

use egg::{Id, RecExpr};
use mom_dialect::{
    graph::{Function, OpKind, UpdateRule, ValueId},
    shape::{Axis, Type},
};

use super::term::{Call, Index, Leaf, Number, Symbol, Term};

/// The axes of a rule by number, in the order in which its inputs, parameters, states and body first mention them, so
/// that their names decide nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Axes(Vec<Axis>);

impl Axes {
    /// The axes of a rule's inputs, parameters, states and outputs.
    pub(crate) fn of_ports(rule: &UpdateRule) -> Axes {
        let mut axes = Axes::default();
        for axis in rule.arguments().chain(&rule.outputs).flat_map(|port| &port.ty.axes) {
            axes.number(axis);
        }
        axes
    }

    pub(crate) fn number(&mut self, axis: &Axis) -> u32 {
        let known = self.0.iter().position(|own| own == axis);
        known.unwrap_or_else(|| {
            self.0.push(axis.clone());
            self.0.len() - 1
        }) as u32
    }

    pub(crate) fn axis(&self, number: u32) -> Option<&Axis> {
        self.0.get(number as usize)
    }

    pub(crate) fn size(&self, number: u32) -> usize {
        self.axis(number).and_then(Axis::size).unwrap_or(1)
    }

    /// An axis of this size and a name like this one that is none of `taken`.
    pub(crate) fn free(&mut self, axis: &Axis, taken: &dyn Fn(u32) -> bool) -> u32 {
        let mut name = axis.name();
        loop {
            let number = self.number(&Axis::named(name.clone(), axis.size().unwrap_or(1)));
            if !taken(number) {
                return number;
            }
            name.push('\'');
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Axis)> {
        self.0.iter().enumerate().map(|(number, axis)| (number as u32, axis))
    }
}

/// A rule's values as terms.
pub(crate) struct Imported {
    pub(crate) axes: Axes,
    pub(crate) terms: RecExpr<Term>,
    /// The states after the token, each with its own axes.
    pub(crate) next: Vec<Id>,
    /// The outputs, each with its own axes.
    pub(crate) read: Vec<Id>,
    /// The terms that each value of the body became.
    pub(crate) values: BTreeMap<Id, ValueId>,
}

/// # Errors
/// An operation that no update rule holds.
pub(crate) fn import(rule: &UpdateRule) -> Result<Imported, String> {
    let mut import = Import::new(rule);
    let next = rule.next.iter().zip(&rule.states).map(|(&next, port)| import.whole(next, &port.ty));
    let next = next.collect::<Result<_, _>>()?;
    let read = rule.read.iter().zip(&rule.outputs).map(|(&read, port)| import.whole(read, &port.ty));
    let read = read.collect::<Result<_, _>>()?;
    Ok(Imported { axes: import.axes, terms: import.terms, next, read, values: import.values })
}

/// What stands at each axis of a value.
type At = BTreeMap<String, Index>;

struct Import<'r> {
    rule: &'r UpdateRule,
    arguments: Vec<ValueId>,
    /// The operation that makes each value.
    makers: BTreeMap<ValueId, usize>,
    axes: Axes,
    terms: RecExpr<Term>,
    known: BTreeMap<(ValueId, At), Id>,
    values: BTreeMap<Id, ValueId>,
    hash: BTreeMap<Term, Id>,
}

impl<'r> Import<'r> {
    fn new(rule: &'r UpdateRule) -> Self {
        let made = rule.body.ops.iter().enumerate();
        let makers = made.flat_map(|(at, op)| op.results.iter().map(move |&result| (result, at))).collect();
        Import {
            rule,
            arguments: rule.body.arguments(),
            makers,
            axes: Axes::of_ports(rule),
            terms: RecExpr::default(),
            known: BTreeMap::new(),
            values: BTreeMap::new(),
            hash: BTreeMap::new(),
        }
    }

    /// A value with its own axes.
    fn whole(&mut self, value: ValueId, ty: &Type) -> Result<Id, String> {
        let at = ty.axes.iter().map(|axis| (axis.name(), Index::Axis(self.axes.number(axis)))).collect();
        self.value(value, &at)
    }

    fn add(&mut self, term: Term) -> Id {
        if let Some(&known) = self.hash.get(&term) {
            return known;
        }
        let id = self.terms.add(term.clone());
        self.hash.insert(term, id);
        id
    }

    fn leaf(&mut self, symbol: Symbol, indices: Vec<Index>) -> Id {
        self.add(Term::Leaf(Leaf { symbol, indices }))
    }

    fn ty(&self, value: ValueId) -> &'r Type {
        self.rule.body.ty(value)
    }

    /// The term of a value with an index at each of its axes; `at` may name further axes.
    fn value(&mut self, value: ValueId, at: &At) -> Result<Id, String> {
        let axes = &self.ty(value).axes;
        let at: At =
            axes.iter().filter_map(|axis| at.get_key_value(&axis.name())).map(|(n, i)| (n.clone(), *i)).collect();
        let key = (value, at);
        if let Some(&known) = self.known.get(&key) {
            return Ok(known);
        }
        let id = match self.makers.get(&value) {
            Some(&op) => self.operation(op, &key.1)?,
            None => self.argument(value, &key.1)?,
        };
        self.values.entry(id).or_insert(value);
        self.known.insert(key, id);
        Ok(id)
    }

    fn argument(&mut self, value: ValueId, at: &At) -> Result<Id, String> {
        let argument = self.arguments.iter().position(|&argument| argument == value);
        let argument = argument.ok_or_else(|| format!("{value} is neither made nor given"))?;
        let given = self.rule.inputs.len() + self.rule.parameters.len();
        let symbol = match argument.checked_sub(given) {
            Some(state) => Symbol::State(state as u32),
            None => Symbol::Given(argument as u32),
        };
        let indices = self.ty(value).axes.iter().filter_map(|axis| at.get(&axis.name()).copied()).collect();
        Ok(self.leaf(symbol, indices))
    }

    fn operation(&mut self, op: usize, at: &At) -> Result<Id, String> {
        let op = &self.rule.body.ops[op];
        let operands = &op.operands;
        Ok(match &op.kind {
            OpKind::Constant { value } => self.add(Term::Number(Number(*value))),
            OpKind::Elementwise(function) => {
                let operands: Vec<Id> = operands.iter().map(|&x| self.value(x, at)).collect::<Result<_, _>>()?;
                self.add(match (function, &operands[..]) {
                    (Function::Add, &[a, b]) => Term::Add([a, b]),
                    (Function::Sub, &[a, b]) => Term::Sub([a, b]),
                    (Function::Mul, &[a, b]) => Term::Mul([a, b]),
                    (Function::Div, &[a, b]) => Term::Div([a, b]),
                    (Function::Neg, &[x]) => Term::Neg(x),
                    _ => Term::Call(Call(*function), operands),
                })
            }
            OpKind::Contract => {
                let (a, b) = (operands[0], operands[1]);
                let (own, other) = (self.ty(a), self.ty(b));
                let mut at = at.clone();
                let shared = own.axes.iter().filter(|axis| other.has(axis));
                let shared: Vec<u32> = shared.map(|axis| self.bind(&mut at, axis)).collect();
                let factors = [self.value(a, &at)?, self.value(b, &at)?];
                let product = self.add(Term::Mul(factors));
                shared.into_iter().rev().fold(product, |x, axis| self.sum(axis, x))
            }
            OpKind::Sum { axis } => {
                let mut at = at.clone();
                let axis = self.axis(operands[0], axis)?;
                let axis = self.bind(&mut at, &axis);
                let x = self.value(operands[0], &at)?;
                self.sum(axis, x)
            }
            OpKind::Softmax { axis } => {
                let name = axis.clone();
                let axis = self.axis(operands[0], axis)?;
                self.along(&axis, &name, at, |this, at, index| {
                    let x = this.value(operands[0], at)?;
                    let index = this.add(Term::Index(index));
                    Ok(this.add(Term::Softmax([index, x])))
                })?
            }
            OpKind::Solve => {
                let (a, b) = (operands[0], operands[1]);
                let given = &self.ty(b).axes[0];
                let unknown = self.ty(a).axes.iter().find(|axis| *axis != given);
                let unknown = unknown.ok_or("`solve` without unknowns")?;
                self.along(unknown, &unknown.name(), at, |this, at, index| {
                    let mut at = at.clone();
                    let row = this.bind(&mut at, given);
                    let (a, b) = (this.value(a, &at)?, this.value(b, &at)?);
                    let indices = [Index::Axis(row), index].map(|index| this.add(Term::Index(index)));
                    Ok(this.add(Term::Solve([indices[0], indices[1], a, b])))
                })?
            }
            OpKind::Slice { axis, index } => {
                let mut at = at.clone();
                at.insert(axis.clone(), Index::Entry(*index));
                self.value(operands[0], &at)?
            }
            OpKind::Place { axis, index, .. } => {
                let x = self.value(operands[0], at)?;
                let one = match at.get(axis) {
                    Some(Index::Entry(entry)) => self.add(Term::Number(Number(f64::from(entry == index)))),
                    Some(&axis) => self.leaf(Symbol::OneAt(*index), vec![axis]),
                    None => return Err(format!("`place` makes no axis `{axis}`")),
                };
                self.add(Term::Mul([one, x]))
            }
            OpKind::Relabel { axes } => {
                let renamed =
                    |name: &str| axes.iter().find(|(_, new)| new == name).map_or(name, |(old, _)| old).to_owned();
                let at = at.iter().map(|(name, &index)| (renamed(name), index)).collect();
                self.value(operands[0], &at)?
            }
            OpKind::Identity { axes, .. } => {
                let indices = axes.iter().filter_map(|axis| at.get(axis).copied()).collect::<Vec<_>>();
                match indices[..] {
                    [Index::Entry(i), Index::Entry(j)] => self.add(Term::Number(Number(f64::from(i == j)))),
                    [Index::Entry(entry), axis] | [axis, Index::Entry(entry)] => {
                        self.leaf(Symbol::OneAt(entry), vec![axis])
                    }
                    [i, j] => self.leaf(Symbol::Identity, vec![i.min(j), i.max(j)]),
                    _ => return Err("`identity` needs two axes".into()),
                }
            }
            OpKind::HeadIndex => self.leaf(Symbol::Head, Vec::new()),
            other => return Err(format!("an update rule cannot hold `{}`", mom_dialect::ops::name(other))),
        })
    }

    fn axis(&self, value: ValueId, name: &str) -> Result<Axis, String> {
        self.ty(value).axis(name).cloned().ok_or_else(|| format!("{value} has no axis `{name}`"))
    }

    fn sum(&mut self, axis: u32, x: Id) -> Id {
        let axis = self.add(Term::Index(Index::Axis(axis)));
        self.add(Term::Sum([axis, x]))
    }

    /// Puts an axis that nothing else in `at` stands at.
    fn bind(&mut self, at: &mut At, axis: &Axis) -> u32 {
        let taken: Vec<Index> = at.values().copied().collect();
        let number = self.axes.free(axis, &|number| taken.contains(&Index::Axis(number)));
        at.insert(axis.name(), Index::Axis(number));
        number
    }

    /// Makes a term along a whole axis; where `at` asks for one entry of it, takes that entry afterwards.
    fn along(
        &mut self,
        axis: &Axis,
        name: &str,
        at: &At,
        make: impl FnOnce(&mut Self, &At, Index) -> Result<Id, String>,
    ) -> Result<Id, String> {
        match at.get(name) {
            Some(&entry @ Index::Entry(_)) => {
                let mut at = at.clone();
                let number = Index::Axis(self.bind(&mut at, axis));
                let whole = make(self, &at, number)?;
                let [number, entry] = [number, entry].map(|index| self.add(Term::Index(index)));
                Ok(self.add(Term::Entry([number, entry, whole])))
            }
            Some(&index) => make(self, at, index),
            None => Err(format!("nothing stands at the axis `{name}`")),
        }
    }
}
