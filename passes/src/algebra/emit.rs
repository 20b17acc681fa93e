//! From polynomials to the operations of a body.

use std::collections::BTreeMap;

use mom_dialect::{
    graph::{Body, Function, OpKind, ValueId},
    shape::{Axis, Type},
};

use super::{
    import::Axes,
    polynomial::{Atom, Monomial, Polynomial},
    term::{Index, Leaf, Symbol},
};

/// Writes polynomials into a body, each of them once.
pub(crate) struct Emit<'a> {
    pub(crate) body: Body,
    axes: &'a mut Axes,
    arguments: BTreeMap<Symbol, ValueId>,
    polynomials: BTreeMap<Polynomial, ValueId>,
    operations: Vec<(OpKind, Vec<ValueId>, ValueId)>,
}

impl<'a> Emit<'a> {
    pub(crate) fn new(axes: &'a mut Axes) -> Self {
        Self {
            body: Body::default(),
            axes,
            arguments: BTreeMap::new(),
            polynomials: BTreeMap::new(),
            operations: Vec::new(),
        }
    }

    pub(crate) fn argument(&mut self, symbol: Symbol, ty: Type) -> ValueId {
        let value = self.body.argument(ty);
        self.arguments.insert(symbol, value);
        value
    }

    pub(crate) fn axis_number(&mut self, axis: &Axis) -> u32 {
        self.axes.number(axis)
    }

    fn op(&mut self, kind: OpKind, operands: &[ValueId]) -> Result<ValueId, String> {
        let same = |(own, with, _): &&(OpKind, Vec<ValueId>, ValueId)| *own == kind && with == operands;
        if let Some((_, _, value)) = self.operations.iter().find(same) {
            return Ok(*value);
        }
        let value = self.body.add(kind.clone(), operands, None)?[0];
        self.operations.push((kind, operands.to_vec(), value));
        Ok(value)
    }

    fn function(&mut self, function: Function, operands: &[ValueId]) -> Result<ValueId, String> {
        self.op(OpKind::Elementwise(function), operands)
    }

    fn number(&mut self, value: f64) -> Result<ValueId, String> {
        self.op(OpKind::Constant { value }, &[])
    }

    /// A polynomial as a value that has exactly these axes.
    ///
    /// # Errors
    /// An expression that bodies cannot hold; a fault of the caller.
    pub(crate) fn over(&mut self, polynomial: &Polynomial, axes: &[u32]) -> Result<ValueId, String> {
        let mut value = self.polynomial(polynomial)?;
        for &axis in axes {
            let axis = self.axis(axis)?;
            if !self.body.ty(value).has(&axis) {
                let zero = self.number(0.0)?;
                let size = axis.size().unwrap_or(1);
                let zeros = self.op(OpKind::Place { axis: axis.name(), size, index: 0 }, &[zero])?;
                value = self.function(Function::Add, &[zeros, value])?;
            }
        }
        Ok(value)
    }

    fn axis(&self, number: u32) -> Result<Axis, String> {
        self.axes.axis(number).cloned().ok_or_else(|| format!("there is no axis {number}"))
    }

    pub(crate) fn polynomial(&mut self, polynomial: &Polynomial) -> Result<ValueId, String> {
        if let Some(&known) = self.polynomials.get(polynomial) {
            return Ok(known);
        }
        let mut sum: Option<ValueId> = None;
        // What is added comes before what is taken away, so that nothing has to be negated.
        let (plus, minus): (Vec<_>, Vec<_>) = polynomial.0.iter().partition(|(_, factor)| factor.0 > 0.0);
        for (monomial, factor) in plus.into_iter().chain(minus) {
            sum = Some(match sum {
                None => self.monomial(monomial, factor.0)?,
                Some(sum) if factor.0 < 0.0 => {
                    let product = self.monomial(monomial, -factor.0)?;
                    self.function(Function::Sub, &[sum, product])?
                }
                Some(sum) => {
                    let product = self.monomial(monomial, factor.0)?;
                    self.function(Function::Add, &[sum, product])?
                }
            });
        }
        let value = match sum {
            Some(value) => value,
            None => self.number(0.0)?,
        };
        self.polynomials.insert(polynomial.clone(), value);
        Ok(value)
    }

    fn monomial(&mut self, monomial: &Monomial, factor: f64) -> Result<ValueId, String> {
        let (exponentials, others) = monomial.split(|atom| matches!(atom, Atom::Exp(_)));
        let mut exponent = Polynomial::default();
        for (atom, power) in &exponentials.0 {
            if let Atom::Exp(x) = atom {
                exponent = exponent.plus(&Polynomial::of(x.clone(), power.0));
            }
        }
        let mut above = Vec::new();
        let mut below = Vec::new();
        if !exponent.is_zero() {
            let exponent = self.polynomial(&exponent)?;
            above.push(self.function(Function::Exp, &[exponent])?);
        }
        for (atom, power) in &others.0 {
            let value = self.atom(atom)?;
            let powered = self.power(value, power.0.abs())?;
            if power.0 < 0.0 { below.push(powered) } else { above.push(powered) }
        }
        if factor.abs() != 1.0 || above.is_empty() {
            let factor = self.number(factor.abs())?;
            above.push(factor);
        }
        let mut product = self.product(above)?;
        if !below.is_empty() {
            let below = self.product(below)?;
            product = self.function(Function::Div, &[product, below])?;
        }
        if factor < 0.0 { self.function(Function::Neg, &[product]) } else { Ok(product) }
    }

    /// The product of values, those with few axes first.
    fn product(&mut self, mut values: Vec<ValueId>) -> Result<ValueId, String> {
        values.sort_by_key(|&value| self.body.ty(value).axes.len());
        let mut product = values[0];
        for &value in &values[1..] {
            product = self.function(Function::Mul, &[product, value])?;
        }
        Ok(product)
    }

    fn power(&mut self, value: ValueId, exponent: f64) -> Result<ValueId, String> {
        if exponent.fract() == 0.0 {
            let mut product = value;
            for _ in 1..exponent as usize {
                product = self.function(Function::Mul, &[product, value])?;
            }
            return Ok(product);
        }
        let log = self.function(Function::Log, &[value])?;
        let exponent = self.number(exponent)?;
        let scaled = self.function(Function::Mul, &[exponent, log])?;
        self.function(Function::Exp, &[scaled])
    }

    fn atom(&mut self, atom: &Atom) -> Result<ValueId, String> {
        match atom {
            Atom::Leaf(leaf) => self.leaf(leaf),
            Atom::Exp(x) => self.polynomial(&Polynomial::of(x.clone(), 1.0).exp()),
            Atom::Call(call, operands) => {
                let operands: Vec<ValueId> = operands.iter().map(|x| self.polynomial(x)).collect::<Result<_, _>>()?;
                self.function(call.0, &operands)
            }
            Atom::Group(x) => self.polynomial(x),
            Atom::Softmax(index, x) => {
                let axis = self.named(*index)?;
                let value = self.over(x, &[axis])?;
                self.op(OpKind::Softmax { axis: self.axis(axis)?.name() }, &[value])
            }
            Atom::Entry(bound, entry, x) => {
                let (axis, x) = self.open(*bound, x)?;
                let value = self.over(&x, &[axis])?;
                self.op(OpKind::Slice { axis: self.axis(axis)?.name(), index: *entry }, &[value])
            }
            Atom::Solve(bound, unknown, matrix, vector) => {
                // The right-hand side may have the axis of the unknowns only as an outer one, which bodies cannot say.
                let (axis, matrix) = self.open(*bound, matrix)?;
                let vector = vector.replace(*bound, Index::Axis(axis));
                let unknown = self.named(*unknown)?;
                let matrix = self.over(&matrix, &[axis, unknown])?;
                let vector = self.over(&vector, &[axis])?;
                self.op(OpKind::Solve, &[matrix, vector])
            }
            Atom::Sum(bound, x) => {
                let (axis, x) = self.open(*bound, &Polynomial::of(x.clone(), 1.0))?;
                let Some((monomial, _)) = x.single() else { return self.polynomial(&x) };
                self.sum(axis, monomial)
            }
        }
    }

    /// A sum of products; a contraction, where the factors are two that share no further axis.
    fn sum(&mut self, axis: u32, product: &Monomial) -> Result<ValueId, String> {
        let mut factors = product.0.iter();
        if let (Some(first), true) = (factors.next(), product.0.len() > 1 || product.0.values().any(|p| p.0 == 2.0)) {
            let first = (first.0.clone(), first.1.0);
            let (a, b) = if first.1 == 2.0 {
                let half = Monomial::atom(first.0.clone(), 1.0);
                (half.clone(), half.times(&product.split(|atom| *atom != first.0).0))
            } else {
                product.split(|atom| *atom == first.0)
            };
            let (a, b) = (self.monomial(&a, 1.0)?, self.monomial(&b, 1.0)?);
            let own = self.axis(axis)?;
            let (one, other) = (self.body.ty(a), self.body.ty(b));
            if one.axes.iter().all(|x| other.has(x) == (*x == own)) {
                return self.op(OpKind::Contract, &[a, b]);
            }
        }
        let value = self.monomial(product, 1.0)?;
        self.op(OpKind::Sum { axis: self.axis(axis)?.name() }, &[value])
    }

    /// The number of an index's axis.
    fn named(&self, index: Index) -> Result<u32, String> {
        match index {
            Index::Axis(number) => Ok(number),
            other => Err(format!("{other} is no axis")),
        }
    }

    /// An expression with an axis in place of a bound index: one of the rule's own, where it has one free.
    fn open(&mut self, bound: Index, x: &Polynomial) -> Result<(u32, Polynomial), String> {
        let Index::Bound { size, .. } = bound else { return Err(format!("{bound} is not bound")) };
        let taken = |number: u32| x.has(Index::Axis(number));
        let own = self.axes.iter().find(|(number, axis)| axis.size() == Some(size) && !taken(*number));
        let number = match own.map(|(number, _)| number) {
            Some(number) => number,
            None => {
                let like = self.axes.iter().find(|(_, axis)| axis.size() == Some(size)).map(|(_, axis)| axis.clone());
                let like = like.unwrap_or_else(|| Axis::named("axis", size));
                self.axes.free(&like, &taken)
            }
        };
        Ok((number, x.replace(bound, Index::Axis(number))))
    }

    /// An argument with other axes in place of its own, or single entries.
    fn leaf(&mut self, leaf: &Leaf) -> Result<ValueId, String> {
        let mut value = match leaf.symbol {
            Symbol::Head => return self.op(OpKind::HeadIndex, &[]),
            Symbol::OneAt(entry) => {
                let axis = self.axis(self.named(leaf.indices[0])?)?;
                let one = self.number(1.0)?;
                let kind = OpKind::Place { axis: axis.name(), size: axis.size().unwrap_or(1), index: entry };
                return self.op(kind, &[one]);
            }
            Symbol::Identity => {
                let [i, j] = [leaf.indices[0], leaf.indices[1]].map(|index| self.named(index));
                let (i, j) = (self.axis(i?)?, self.axis(j?)?);
                let kind = OpKind::Identity { axes: [i.name(), j.name()], size: i.size().unwrap_or(1) };
                return self.op(kind, &[]);
            }
            symbol => *self.arguments.get(&symbol).ok_or_else(|| format!("`{leaf}` has no value"))?,
        };
        let own = self.body.ty(value).axes.clone();
        let mut renamed = Vec::new();
        for (axis, index) in own.iter().zip(&leaf.indices) {
            match index {
                Index::Entry(entry) => value = self.op(OpKind::Slice { axis: axis.name(), index: *entry }, &[value])?,
                index => {
                    let new = self.axis(self.named(*index)?)?;
                    if new != *axis {
                        renamed.push((axis.name(), new.name()));
                    }
                }
            }
        }
        if renamed.is_empty() { Ok(value) } else { self.op(OpKind::Relabel { axes: renamed }, &[value]) }
    }
}
