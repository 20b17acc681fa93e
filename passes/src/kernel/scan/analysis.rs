//! What of an update rule runs when: values sorted by their axes and into passes over the state.

use mom_dialect::{
    graph::{Function, Op, OpKind, UpdateRule, ValueId},
    shape::{Axis, Type},
};

use super::wiring::Wiring;

/// What the axes of a value are to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// Has the axis that passes run along.
    pub(super) row: bool,
    /// Has the axis that blocks are cut from.
    pub(super) column: bool,
}

/// Where the elements of an argument, or of a slice of one, lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address {
    /// Number among inputs and parameters.
    pub(super) argument: usize,
    /// Of its first element, within one head's value.
    pub(super) offset: usize,
    /// Elements from one row to the next.
    pub(super) stride: usize,
}

/// An address, and the axes that are left with their strides.
type View = (Address, Vec<(Axis, usize)>);

/// A rule with its values sorted into passes.
pub(super) struct Analysis<'a> {
    pub(super) rule: &'a UpdateRule,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) kinds: Vec<Kind>,
    /// The operation that makes each value; none for arguments.
    pub(super) makers: Vec<Option<&'a Op>>,
    /// Where values lie that need no arithmetic: inputs, parameters and their slices.
    pub(super) addresses: Vec<Option<Address>>,
    /// Values that are computed once a token for all blocks of columns, see [`Analysis::assign_staged`].
    pub(super) staged: Vec<ValueId>,
    /// The pass in which a value can be computed; for values without rows, the pass before which.
    pub(super) levels: Vec<usize>,
    pub(super) passes: usize,
    /// The pass that writes the states: no later one reads the old states.
    pub(super) write_pass: usize,
}

impl<'a> Analysis<'a> {
    /// `wiring` says which inputs lie in scratch memory.
    pub(super) fn new(rule: &'a UpdateRule, wiring: &Wiring) -> Result<Self, String> {
        let (row, column) = state_axes(rule)?;
        let body = &rule.body;
        let mut makers: Vec<Option<&Op>> = vec![None; body.value_count()];
        for op in &body.ops {
            makers[op.results[0].index()] = Some(op);
        }
        let is = |axis: &Axis, other: Option<&Axis>| other == Some(axis);
        let kind = |ty: &Type| Kind { row: ty.axes.iter().any(|axis| is(axis, row.as_ref())), column: ty.has(&column) };
        let kinds = (0..body.value_count()).map(|index| kind(body.ty(ValueId(index as u32)))).collect();
        let mut analysis = Analysis {
            rule,
            rows: row.as_ref().and_then(Axis::size).unwrap_or(1),
            columns: column.size().unwrap_or(1),
            kinds,
            makers,
            addresses: vec![None; body.value_count()],
            staged: Vec::new(),
            levels: vec![0; body.value_count()],
            passes: 0,
            write_pass: 0,
        };
        analysis.assign_addresses(row.as_ref(), &column)?;
        for op in &body.ops {
            analysis.check(op, row.as_ref(), &column)?;
        }
        for (port, &read) in rule.outputs.iter().zip(&rule.read) {
            if analysis.kind(read) != (Kind { row: false, column: true }) {
                return Err(format!(
                    "`{}` of `{}` must have just the axis `{}` for native code",
                    port.name,
                    rule.name,
                    column.name()
                ));
            }
        }
        analysis.assign_levels();
        analysis.assign_staged(wiring);
        Ok(analysis)
    }

    pub(super) fn kind(&self, value: ValueId) -> Kind {
        self.kinds[value.index()]
    }

    pub(super) fn level(&self, value: ValueId) -> usize {
        self.levels[value.index()]
    }

    /// Which of the states a value is before the token.
    pub(super) fn state(&self, value: ValueId) -> Option<usize> {
        value.index().checked_sub(self.arguments()).filter(|&state| state < self.rule.states.len())
    }

    /// The state before the token, as a value.
    pub(super) fn old(&self, state: usize) -> ValueId {
        ValueId((self.arguments() + state) as u32)
    }

    /// Inputs and parameters.
    fn arguments(&self) -> usize {
        self.rule.inputs.len() + self.rule.parameters.len()
    }

    /// The sums over rows that are done in a pass.
    pub(super) fn sums(&self, pass: usize) -> Vec<&'a Op> {
        let ops = self.rule.body.ops.iter();
        ops.filter(|op| is_sum(op) && self.level(op.results[0]) == pass + 1).collect()
    }

    /// Whether the first pass of a token can be done within the last pass of the token before: it reads states that are
    /// written by then, and writes none.
    pub(super) fn overlaps(&self) -> bool {
        self.write_pass > 0
    }

    pub(super) fn is_staged(&self, value: ValueId) -> bool {
        self.staged.contains(&value)
    }

    /// Follows inputs, parameters and slices of them.
    fn assign_addresses(&mut self, row: Option<&Axis>, column: &Axis) -> Result<(), String> {
        let rule = self.rule;
        // The axes that are left of each argument, with their strides.
        let mut views: Vec<Option<View>> = vec![None; rule.body.value_count()];
        for (argument, port) in rule.inputs.iter().chain(&rule.parameters).enumerate() {
            let mut stride = 1;
            let mut axes = Vec::new();
            for axis in port.ty.axes.iter().rev() {
                axes.push((axis.clone(), stride));
                stride *= axis.size().unwrap_or(1);
            }
            views[argument] = Some((Address { argument, offset: 0, stride: 0 }, axes));
        }
        for op in &rule.body.ops {
            let OpKind::Slice { axis, index } = &op.kind else { continue };
            let view = views[op.operands[0].index()].clone();
            let Some((mut address, mut axes)) = view else {
                return Err(format!("`{}` takes a slice of what it computes, which this kernel cannot", rule.name));
            };
            if let Some(at) = axes.iter().position(|(own, _)| own.name() == *axis) {
                address.offset += index * axes.remove(at).1;
            }
            views[op.results[0].index()] = Some((address, axes));
        }
        for (value, view) in views.into_iter().enumerate() {
            let Some((mut address, axes)) = view else { continue };
            if axes.iter().any(|(axis, stride)| axis == column && *stride != 1) {
                return Err(format!("`{}` has an input whose axis `{}` is not the last", rule.name, column.name()));
            }
            let rows = axes.iter().find(|(axis, _)| Some(axis) == row);
            address.stride = rows.map_or(0, |(_, stride)| *stride);
            self.addresses[value] = Some(address);
        }
        Ok(())
    }

    /// Whether an operation is one that this kernel can do.
    fn check(&self, op: &Op, row: Option<&Axis>, column: &Axis) -> Result<(), String> {
        let rule = self.rule;
        let sums_columns = || {
            Err(format!(
                "`{}` sums over the axis `{}` of its state, so its columns depend on each other; native code \
                 cannot do that yet",
                rule.name,
                column.name()
            ))
        };
        match &op.kind {
            OpKind::Contract if op.operands.iter().all(|&operand| self.kind(operand).column) => return sums_columns(),
            OpKind::Sum { axis } if *axis == column.name() => return sums_columns(),
            OpKind::Constant { .. }
            | OpKind::Elementwise(_)
            | OpKind::Contract
            | OpKind::Sum { .. }
            | OpKind::HeadIndex
            | OpKind::Slice { .. } => {}
            _ => return Err(format!("`{}` holds an operation that this kernel cannot do", rule.name)),
        }
        // An argument may have further axes if only slices along them are used.
        let operands: &[ValueId] = if matches!(op.kind, OpKind::Slice { .. }) { &[] } else { &op.operands };
        for &value in operands.iter().chain(&op.results) {
            let is_sliced = self.addresses[value.index()].is_some() && !operands.contains(&value);
            let axes = &rule.body.ty(value).axes;
            if let Some(other) = axes.iter().find(|axis| Some(*axis) != row && *axis != column)
                && !is_sliced
            {
                return Err(format!(
                    "`{}` works on an axis `{}` that its state does not have, which native code cannot do yet",
                    rule.name,
                    other.name()
                ));
            }
        }
        Ok(())
    }

    fn assign_levels(&mut self) {
        let rule = self.rule;
        for op in &rule.body.ops {
            let result = op.results[0];
            let level = op.operands.iter().map(|&operand| self.level(operand)).max().unwrap_or(0);
            self.levels[result.index()] = level + usize::from(is_sum(op));
            self.passes = self.passes.max(self.level(result));
        }
        let state_level = rule.next.iter().map(|&next| self.level(next)).max().unwrap_or(0);
        self.passes = self.passes.max(state_level + 1);
        // Sums read what they need in the pass of their operands; the last one that touches an old state bounds the
        // write from below.
        let sums = rule.body.ops.iter().filter(|op| is_sum(op));
        self.write_pass = sums
            .filter(|op| op.operands.iter().any(|&operand| self.old_state_in_rows(operand)))
            .map(|op| self.level(op.results[0]) - 1)
            .chain([state_level])
            .max()
            .unwrap_or(0);
    }

    /// Whether a value, computed row by row, reads an old state.
    fn old_state_in_rows(&self, value: ValueId) -> bool {
        if self.state(value).is_some() {
            return true;
        }
        match self.makers[value.index()] {
            // A sum is finished before the rows that use it.
            Some(op) if !is_sum(op) => op.operands.iter().any(|&operand| self.old_state_in_rows(operand)),
            _ => false,
        }
    }

    /// Picks the values that are computed before the passes: those that inputs and parameters alone decide, that have
    /// no column axis and so are the same for all blocks of columns, and that cost more than a load or are vectors. Of
    /// such values that are made from each other only the last is kept.
    fn assign_staged(&mut self, wiring: &Wiring) {
        let rule = self.rule;
        let count = rule.body.value_count();
        let (mut free, mut costly) = (vec![false; count], vec![false; count]);
        for (value, free) in free.iter_mut().enumerate() {
            *free = self.addresses[value].is_some() && !self.kinds[value].column;
        }
        for op in &rule.body.ops {
            let result = op.results[0].index();
            let all = |set: &[bool]| op.operands.iter().all(|operand| set[operand.index()]);
            free[result] |= match op.kind {
                OpKind::Constant { .. } | OpKind::HeadIndex => true,
                OpKind::Elementwise(_) => all(&free),
                _ => false,
            };
            costly[result] = free[result]
                && (matches!(op.kind, OpKind::Elementwise(function) if !is_cheap(function))
                    || op.operands.iter().any(|operand| costly[operand.index()]));
        }
        let mut used_outside = vec![false; count];
        for op in &rule.body.ops {
            if !costly[op.results[0].index()] {
                op.operands.iter().for_each(|operand| used_outside[operand.index()] = true);
            }
        }
        rule.next.iter().chain(&rule.read).for_each(|value| used_outside[value.index()] = true);
        // Rows of inputs are copied too: tokens of one head are far apart in memory, often by a power of two, and would
        // push each other and the block out of the cache. What a prologue made lies together already.
        let is_input = |value: usize| {
            let address = self.addresses[value];
            self.kinds[value].row
                && address
                    .is_some_and(|address| address.argument < rule.inputs.len() && !wiring.is_made(address.argument))
        };
        let values =
            (0..count).filter(|&value| used_outside[value] && (costly[value] || free[value] && is_input(value)));
        self.staged = values.map(|value| ValueId(value as u32)).collect();
    }
}

/// Whether an operation is a sum over rows.
fn is_sum(op: &Op) -> bool {
    matches!(op.kind, OpKind::Contract | OpKind::Sum { .. })
}

fn is_cheap(function: Function) -> bool {
    matches!(function, Function::Add | Function::Sub | Function::Mul | Function::Neg | Function::Max | Function::Min)
}

/// The row axis (none for vector states) and the column axis that all states share.
fn state_axes(rule: &UpdateRule) -> Result<(Option<Axis>, Axis), String> {
    let Some(first) = rule.states.first() else {
        return Err(format!("`{}` has no state", rule.name));
    };
    if rule.states.iter().any(|state| state.ty != first.ty) {
        return Err(format!("`{}` has states of different axes, which native code cannot do yet", rule.name));
    }
    match first.ty.axes.as_slice() {
        [column] => Ok((None, column.clone())),
        [row, column] => Ok((Some(row.clone()), column.clone())),
        axes => Err(format!("`{}` has a state of {} axes; native code needs one or two", rule.name, axes.len())),
    }
}
