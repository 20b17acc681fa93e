//! States: where each lies, and which value is there after the step.
//!
//! A kernel changes a state in place: what the program calls the state after the step is the buffer of the state before
//! it. Two states that are joined lie side by side in one buffer from the start, so that neither `join_memories` nor
//! `split_memories` does anything when a step runs.

use std::collections::BTreeMap;

use mom_dialect::{
    graph::{Graph, Op, OpKind, ValueId},
    shape::{Axis, Type},
};
use mom_runtime::plan::{Part, State, StateKind};

/// The states of a program.
#[derive(Default)]
pub(super) struct States {
    /// As the plan has them.
    pub(super) planned: Vec<State>,
    /// States before the step: their places among those planned.
    before: BTreeMap<ValueId, usize>,
    /// States after the step, and the state that each is in place of.
    after: BTreeMap<ValueId, ValueId>,
    /// The two halves of a state that is split again: their places among those planned, and which parts they are.
    halves: BTreeMap<ValueId, (usize, usize)>,
}

impl States {
    /// # Errors
    /// The operation that asks for what cannot be done in place, and what that is.
    pub(super) fn new<'a>(graph: &'a Graph, uses: &[Vec<usize>]) -> Result<States, (&'a Op, String)> {
        let mut states = States::default();
        let mut declared: BTreeMap<ValueId, (&String, &Type)> = BTreeMap::new();
        for op in &graph.body.ops {
            let is_joined = |value: ValueId| match uses[value.index()][..] {
                [user] => graph.body.ops[user].kind == OpKind::JoinMemories,
                _ => false,
            };
            match &op.kind {
                OpKind::State { name, ty } if is_joined(op.results[0]) => {
                    declared.insert(op.results[0], (name, ty));
                }
                OpKind::State { name, ty } => states.plan(op.results[0], state(name, ty)),
                OpKind::JoinMemories => {
                    let parts = [op.operands[0], op.operands[1]].map(|operand| declared.remove(&operand));
                    let grows = |(_, ty): &(&String, &Type)| ty.axes[1..].iter().any(|axis| axis.size().is_none());
                    let [Some(several), Some(one)] = parts.map(|part| part.filter(|part| !grows(part))) else {
                        return Err((
                            op,
                            "native code joins only states of the program, which nothing else reads".into(),
                        ));
                    };
                    states.plan(op.results[0], joined([several, one]));
                }
                OpKind::SplitMemories => {
                    let index = states.index(op.operands[0]);
                    let Some(index) = index.filter(|&index| states.planned[index].parts.len() == op.results.len())
                    else {
                        return Err((op, "native code splits only states that were joined".into()));
                    };
                    for (part, &half) in op.results.iter().enumerate() {
                        states.halves.insert(half, (index, part));
                    }
                }
                OpKind::SetState { name } => states.set(name, op.operands[0]).map_err(|message| (op, message))?,
                _ => states.change(graph, op, uses).map_err(|message| (op, message))?,
            }
        }
        Ok(states)
    }

    /// The place among the planned states of a value that is one, before the step or after it.
    pub(super) fn index(&self, value: ValueId) -> Option<usize> {
        self.before.get(self.after.get(&value).unwrap_or(&value)).copied()
    }

    /// Whether a value is a state after the step, in the place of the one before it.
    pub(super) fn is_after(&self, value: ValueId) -> bool {
        self.after.contains_key(&value)
    }

    fn plan(&mut self, value: ValueId, state: State) {
        self.before.insert(value, self.planned.len());
        self.planned.push(state);
    }

    fn set(&self, name: &str, value: ValueId) -> Result<(), String> {
        let place = match self.halves.get(&value) {
            Some(&place) => Some(place),
            // A joined state is no state of the program, only its parts are.
            None => self.index(value).filter(|&index| self.planned[index].parts.len() == 1).map(|index| (index, 0)),
        };
        match place.map(|(index, part)| &self.planned[index].parts[part]) {
            Some(part) if part.name == name => Ok(()),
            _ => Err(format!("native code changes a state in place; `{name}` is set to what is computed elsewhere")),
        }
    }

    /// Notes the states that an operation changes.
    fn change(&mut self, graph: &Graph, op: &Op, uses: &[Vec<usize>]) -> Result<(), String> {
        if op.operands.iter().any(|operand| self.halves.contains_key(operand)) {
            return Err("native code does not read a state that was split".into());
        }
        for (result, operand) in changed_states(graph, op) {
            let before = op.operands[operand];
            if self.index(before).is_none() {
                return Err("native code changes only states of the program in place".into());
            }
            if uses[before.index()].len() > 1 {
                return Err("a state that is changed in place is read by more than one operation".into());
            }
            let root = self.after.get(&before).copied().unwrap_or(before);
            self.after.insert(op.results[result], root);
        }
        Ok(())
    }
}

/// The results of an operation that are states after the step, each with the operand that it is in place of.
pub(super) fn changed_states(graph: &Graph, op: &Op) -> Vec<(usize, usize)> {
    match &op.kind {
        OpKind::ShortConv => vec![(1, 2)],
        OpKind::AppendCache => vec![(0, 1)],
        OpKind::Scan { update_rule } => match graph.update_rule(update_rule) {
            Some(rule) => {
                let (inputs, outputs) = (rule.inputs.len() + rule.parameters.len(), rule.outputs.len());
                (0..rule.states.len()).map(|state| (outputs + state, inputs + state)).collect()
            }
            None => Vec::new(),
        },
        OpKind::Fused(fused) => {
            let arguments = fused.body.arguments().into_iter().enumerate();
            let mut operands: BTreeMap<ValueId, usize> = arguments.map(|(place, argument)| (argument, place)).collect();
            let mut changed = BTreeMap::new();
            for op in &fused.body.ops {
                for (result, operand) in changed_states(graph, op) {
                    if let Some(&place) = operands.get(&op.operands[operand]) {
                        operands.insert(op.results[result], place);
                        changed.insert(op.results[result], place);
                    }
                }
            }
            let results = fused.results.iter().enumerate();
            results.filter_map(|(result, value)| Some((result, *changed.get(value)?))).collect()
        }
        _ => Vec::new(),
    }
}

fn state(name: &str, ty: &Type) -> State {
    let mut axes = ty.axes.iter().skip(1).peekable();
    let kind = match axes.peek() {
        Some(Axis::Rows(_)) => StateKind::Context,
        Some(Axis::Named { name, size }) if name == "ring" => StateKind::Ring { capacity: *size },
        _ => StateKind::Fixed,
    };
    if kind != StateKind::Fixed {
        axes.next();
    }
    State::whole(name, axes.map(|axis| (axis.name(), axis.size().unwrap_or(1))).collect(), kind)
}

/// States side by side, as `join_memories` has them: each sequence's memories one after the other.
fn joined(states: [(&String, &Type); 2]) -> State {
    let mut whole = State { parts: Vec::new(), elements: 0, kind: StateKind::Fixed };
    for (name, ty) in states {
        let axes: Vec<(String, usize)> = ty.axes.iter().filter_map(|axis| Some((axis.name(), axis.size()?))).collect();
        let elements = ty.row_elements();
        whole.parts.push(Part { name: name.clone(), first: whole.elements, elements, axes });
        whole.elements += elements;
    }
    whole
}
