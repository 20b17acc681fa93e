//! What of an update rule runs when: values sorted by their axes and into passes over the state.

use mom_dialect::{
    graph::{Op, OpKind, UpdateRule, ValueId},
    shape::Axis,
};

/// What the axes of a value are to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// Has the axis that passes run along.
    pub(super) row: bool,
    /// Has the axis that blocks are cut from.
    pub(super) column: bool,
}

/// A rule with its values sorted into passes.
pub(super) struct Analysis<'a> {
    pub(super) rule: &'a UpdateRule,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) kinds: Vec<Kind>,
    /// The operation that makes each value; none for arguments.
    pub(super) makers: Vec<Option<&'a Op>>,
    /// The pass in which a value can be computed; for values without rows, the pass before which.
    pub(super) levels: Vec<usize>,
    pub(super) passes: usize,
    /// The pass that writes the states: no later one reads the old states.
    pub(super) write_pass: usize,
}

impl<'a> Analysis<'a> {
    pub(super) fn new(rule: &'a UpdateRule) -> Result<Self, String> {
        let (row, column) = state_axes(rule)?;
        let body = &rule.body;
        let mut makers: Vec<Option<&Op>> = vec![None; body.value_count()];
        for op in &body.ops {
            let (OpKind::Constant { .. } | OpKind::Elementwise(_) | OpKind::Contract) = op.kind else {
                return Err(format!("`{}` holds an operation that is not part of update rules", rule.name));
            };
            makers[op.results[0].index()] = Some(op);
        }
        let mut kinds = Vec::with_capacity(body.value_count());
        for index in 0..body.value_count() {
            let ty = body.ty(ValueId(index as u32));
            if let Some(other) = ty.axes.iter().find(|axis| Some(*axis) != row.as_ref() && **axis != column) {
                return Err(format!(
                    "`{}` works on an axis `{}` that its state does not have, which native code cannot do yet",
                    rule.name,
                    other.name()
                ));
            }
            kinds.push(Kind { row: row.as_ref().is_some_and(|row| ty.has(row)), column: ty.has(&column) });
        }
        if let Some(output) = rule.read.iter().position(|read| kinds[read.index()] != Kind { row: false, column: true })
        {
            return Err(format!(
                "`{}` of `{}` must have just the axis `{}` for native code",
                rule.outputs[output].name,
                rule.name,
                column.name()
            ));
        }
        let rows = row.as_ref().and_then(Axis::size).unwrap_or(1);
        let columns = column.size().unwrap_or(1);
        let mut analysis = Analysis {
            rule,
            rows,
            columns,
            kinds,
            makers,
            levels: vec![0; body.value_count()],
            passes: 0,
            write_pass: 0,
        };
        analysis.assign_levels()?;
        Ok(analysis)
    }

    pub(super) fn kind(&self, value: ValueId) -> Kind {
        self.kinds[value.index()]
    }

    pub(super) fn level(&self, value: ValueId) -> usize {
        self.levels[value.index()]
    }

    fn assign_levels(&mut self) -> Result<(), String> {
        let rule = self.rule;
        for op in &rule.body.ops {
            let result = op.results[0];
            let level = op.operands.iter().map(|&operand| self.level(operand)).max().unwrap_or(0);
            if op.kind != OpKind::Contract {
                self.levels[result.index()] = level;
                continue;
            }
            let (a, b) = (self.kind(op.operands[0]), self.kind(op.operands[1]));
            if a.column && b.column {
                return Err(format!(
                    "`{}` sums over the last axis of its state, so its columns depend on each other; native code \
                     cannot do that yet",
                    rule.name
                ));
            }
            self.levels[result.index()] = level + 1;
            self.passes = self.passes.max(level + 1);
        }
        let state_level = rule.next.iter().map(|&next| self.level(next)).max().unwrap_or(0);
        self.passes = self.passes.max(state_level + 1);
        // Sums read what they need in the pass of their operands; the last one that touches an old state bounds the
        // write from below.
        self.write_pass = rule
            .body
            .ops
            .iter()
            .filter(|op| op.kind == OpKind::Contract && self.reads_state(op))
            .map(|op| self.level(op.results[0]) - 1)
            .chain([state_level])
            .max()
            .unwrap_or(0);
        Ok(())
    }

    /// Whether a sum, computed row by row, reads an old state.
    fn reads_state(&self, op: &Op) -> bool {
        op.operands.iter().any(|&operand| self.old_state_in_rows(operand))
    }

    fn old_state_in_rows(&self, value: ValueId) -> bool {
        let inputs = self.rule.inputs.len();
        let states = inputs..inputs + self.rule.states.len();
        if states.contains(&value.index()) {
            return true;
        }
        match self.makers[value.index()] {
            // A sum is finished before the rows that use it.
            Some(op) if op.kind != OpKind::Contract => {
                op.operands.iter().any(|&operand| self.old_state_in_rows(operand))
            }
            _ => false,
        }
    }
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
