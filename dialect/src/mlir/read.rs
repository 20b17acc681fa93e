//! From the tree that MLIR read to a [`Graph`].
//!
//! MLIR has checked names, counts of operands and results, and the kinds of attributes against `mom.irdl.mlir`. Here
//! follows what IRDL cannot say: types name their axes, attributes are known and in range, values are used after they
//! are made and within their body. That the axes of operands fit each other is for the verifier.

#![deny(unsafe_code)]

mod attributes;
mod types;

use std::collections::HashMap;

use self::{attributes::Attributes, types::ty};
use super::tree::{Block, Key, Operation, Value};
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    graph::{Body, Function, Fused, Graph, OpKind, Port, Source, UpdateRule, ValueId},
    shape::Type,
};

/// The text is well-formed MLIR but not a program of the `mom` stage.
const NOT_A_PROGRAM: Code = Code(241);

type Checked<T> = Result<T, Box<Diagnostic>>;

fn refuse<T>(message: impl Into<String>) -> Checked<T> {
    Err(Box::new(Diagnostic::error(NOT_A_PROGRAM, message)))
}

fn refuse_with_help<T>(message: impl Into<String>, help: impl Into<String>) -> Checked<T> {
    Err(Box::new(Diagnostic::error(NOT_A_PROGRAM, message).help(help)))
}

/// The program that a module holds.
///
/// # Errors
/// E0241, every operation that cannot be one of a program.
pub(super) fn graph(module: &Operation) -> Result<Graph, Diagnostics> {
    let mut reader = Reader::default();
    let graph = reader.graph(module).map_err(|problem| vec![*problem])?;
    if reader.problems.is_empty() { Ok(graph) } else { Err(reader.problems) }
}

#[derive(Default)]
struct Reader {
    problems: Diagnostics,
}

/// The values that have been made so far in a body.
type Scope = HashMap<Key, ValueId>;

impl Reader {
    fn graph(&mut self, module: &Operation) -> Checked<Graph> {
        let (Some(block), "builtin.module") = (only_block(module), &module.name[..]) else {
            return refuse_with_help(format!("expected a `module`, found `{}`", module.name), super::WHOLE);
        };
        let mut attributes = Attributes::of(module);
        let name = if attributes.has("sym_name") { attributes.text("sym_name")? } else { String::new() };
        attributes.end()?;
        let mut graph = Graph { name, update_rules: Vec::new(), body: Body::default() };
        let mut scope = Scope::new();
        for op in &block.operations {
            let read = if op.name == "mom.update_rule" {
                self.update_rule(op).map(|rule| graph.update_rules.push(rule))
            } else {
                self.operation(op, &mut graph.body, &mut scope)
            };
            self.keep(op, read);
        }
        Ok(graph)
    }

    fn keep(&mut self, op: &Operation, read: Checked<()>) {
        if let Err(problem) = read {
            self.problems.push(match &op.span {
                Some(span) => problem.at(span.clone()),
                None => *problem,
            });
        }
    }

    fn operation(&mut self, op: &Operation, body: &mut Body, scope: &mut Scope) -> Checked<()> {
        let mut attributes = Attributes::of(op);
        let kind = if op.name == "mom.fused" {
            attributes.places();
            OpKind::Fused(Box::new(self.fused(op)?))
        } else {
            kind(op, &mut attributes)?
        };
        attributes.end()?;
        let types = op.results.iter().map(|result| ty(&result.ty)).collect::<Checked<Vec<Type>>>()?;
        let Some(operands) = self.values(&op.operands, scope)? else { return Ok(()) };
        let results = body.add_typed(kind, operands, types, op.span.clone());
        scope.extend(op.results.iter().map(|result| result.key).zip(results));
        Ok(())
    }

    /// `None` where a value may be unknown only because the operation that makes it has been refused.
    fn values(&self, keys: &[Key], scope: &Scope) -> Checked<Option<Vec<ValueId>>> {
        let values: Option<Vec<ValueId>> = keys.iter().map(|key| scope.get(key).copied()).collect();
        if values.is_none() && self.problems.is_empty() {
            return refuse_with_help(
                "an operand is not made by an earlier operation of the same body",
                "order operations so that each comes after those whose results it uses",
            );
        }
        Ok(values)
    }

    fn update_rule(&mut self, op: &Operation) -> Checked<UpdateRule> {
        let mut attributes = Attributes::of(op);
        let name = attributes.text("sym_name")?;
        let [inputs, states, outputs] =
            [attributes.names("inputs")?, attributes.names("states")?, attributes.names("outputs")?];
        let parameters = if attributes.has("parameters") { attributes.names("parameters")? } else { Vec::new() };
        let given = inputs.len() + parameters.len();
        let limits = if attributes.has("at_most") { attributes.limits("at_most", given)? } else { vec![None; given] };
        attributes.end()?;
        let Some(block) = only_block(op) else {
            return refuse(format!("the update rule `{name}` has no body"));
        };
        if block.arguments.len() != given + states.len() {
            return refuse(format!(
                "the update rule `{name}` names {given} inputs and {} states, but its block takes {} arguments",
                states.len(),
                block.arguments.len()
            ));
        }
        let mut body = Body::default();
        let mut scope = Scope::new();
        let mut port = |name: String, argument: &Value| -> Checked<Port> {
            let ty = ty(&argument.ty)?;
            scope.insert(argument.key, body.argument(ty.clone()));
            Ok(Port::new(name, ty))
        };
        let (input_arguments, state_arguments) = block.arguments.split_at(given);
        let count = inputs.len();
        let inputs = inputs.into_iter().chain(parameters).zip(input_arguments).zip(limits);
        let inputs = inputs.map(|((name, argument), at_most)| Ok(Port { at_most, ..port(name, argument)? }));
        let mut inputs = inputs.collect::<Checked<Vec<Port>>>()?;
        let parameters = inputs.split_off(count);
        let states = states.into_iter().zip(state_arguments).map(|(name, argument)| port(name, argument));
        let states = states.collect::<Checked<Vec<Port>>>()?;

        let Some(yielded) = self.steps(block, &mut body, &mut scope) else {
            return refuse_with_help(
                format!("the block of the update rule `{name}` does not end with what it yields"),
                "end the block with \"gpu.yield\"(next states…, outputs…)",
            );
        };
        if yielded.operands.len() != states.len() + outputs.len() {
            return refuse(format!(
                "the update rule `{name}` yields {} values for {} states and {} outputs",
                yielded.operands.len(),
                states.len(),
                outputs.len()
            ));
        }
        let mut next = self.values(&yielded.operands, &scope)?.unwrap_or_default();
        let read = next.split_off(states.len().min(next.len()));
        let outputs = outputs.into_iter().zip(&read);
        let outputs = outputs.map(|(name, &value)| Port::new(name, body.ty(value).clone())).collect();
        Ok(UpdateRule { name, inputs, parameters, states, outputs, body, next, read })
    }

    fn fused(&mut self, op: &Operation) -> Checked<Fused> {
        let (mut body, mut scope) = (Body::default(), Scope::new());
        let Some(block) = only_block(op) else {
            return refuse("a fused operation has no body");
        };
        for argument in &block.arguments {
            scope.insert(argument.key, body.argument(ty(&argument.ty)?));
        }
        let Some(yielded) = self.steps(block, &mut body, &mut scope) else {
            return refuse_with_help(
                "the block of a fused operation does not end with what it yields",
                "end the block with \"gpu.yield\"(results…)",
            );
        };
        let results = self.values(&yielded.operands, &scope)?.unwrap_or_default();
        Ok(Fused { body, results })
    }

    /// Reads the operations of a block up to its last, which must say what the block yields.
    fn steps<'b>(&mut self, block: &'b Block, body: &mut Body, scope: &mut Scope) -> Option<&'b Operation> {
        let (yielded, steps) = block.operations.split_last().filter(|(last, _)| last.name == "gpu.yield")?;
        for step in steps {
            let read = self.operation(step, body, scope);
            self.keep(step, read);
        }
        Some(yielded)
    }
}

fn only_block(op: &Operation) -> Option<&Block> {
    match &op.regions[..] {
        [blocks] => blocks.first(),
        _ => None,
    }
}

fn kind(op: &Operation, attributes: &mut Attributes) -> Checked<OpKind> {
    let result = || match &op.results[..] {
        [result] => ty(&result.ty),
        results => refuse(format!("`{}` has one result, found {}", op.name, results.len())),
    };
    Ok(match &op.name[..] {
        "mom.input" => OpKind::Input { name: attributes.text("name")?, ty: result()? },
        "mom.param" => OpKind::Param {
            name: attributes.text("name")?,
            ty: result()?,
            source: Source {
                tensor: attributes.text("tensor")?,
                shape: attributes.sizes("shape")?,
                first_row: attributes.size("first_row")?,
            },
        },
        "mom.state" => OpKind::State { name: attributes.text("name")?, ty: result()? },
        "mom.set_state" => OpKind::SetState { name: attributes.text("name")? },
        "mom.output" => OpKind::Output { name: attributes.text("name")? },
        "mom.constant" => OpKind::Constant { value: attributes.float("value")? },
        "mom.embedding" => OpKind::Embedding,
        "mom.select_rows" => OpKind::SelectRows,
        "mom.contract" => OpKind::Contract,
        "mom.sum" => OpKind::Sum { axis: attributes.text("axis")? },
        "mom.softmax" => OpKind::Softmax { axis: attributes.text("axis")? },
        "mom.solve" => OpKind::Solve,
        "mom.slice" => OpKind::Slice { axis: attributes.text("axis")?, index: attributes.size("index")? },
        "mom.place" => OpKind::Place {
            axis: attributes.text("axis")?,
            size: attributes.size("size")?,
            index: attributes.size("index")?,
        },
        "mom.relabel" => OpKind::Relabel { axes: attributes.renaming("from", "to")? },
        "mom.head_index" => OpKind::HeadIndex,
        "mom.identity" => OpKind::Identity { axes: attributes.pair("axes")?, size: attributes.size("size")? },
        "mom.linear" => OpKind::Linear,
        "mom.grouped_linear" => OpKind::GroupedLinear,
        "mom.linears" | "mom.grouped_linears" => {
            attributes.places();
            if op.name == "mom.linears" { OpKind::Linear } else { OpKind::GroupedLinear }
        }
        "mom.rms_norm" => OpKind::RmsNorm { eps: attributes.float("eps")? },
        "mom.l2_norm" => OpKind::L2Norm { eps: attributes.float("eps")? },
        "mom.short_conv" => OpKind::ShortConv,
        "mom.router" => OpKind::Router {
            top_k: attributes.size("top_k")?,
            shared_state: attributes.has("shared_state") && attributes.flag("shared_state")?,
        },
        "mom.sort" => OpKind::Sort { memories: attributes.size("memories")? },
        "mom.dispatch" => OpKind::Dispatch,
        name @ ("mom.scan" | "mom.scan_gradient" | "mom.scan_states" | "mom.read_states") => {
            attributes.places();
            let update_rule = attributes.symbol("update_rule")?;
            match name {
                "mom.scan" => OpKind::Scan { update_rule },
                "mom.scan_states" => OpKind::ScanStates { update_rule },
                "mom.read_states" => OpKind::ReadStates { update_rule },
                _ => OpKind::ScanGradient { update_rule },
            }
        }
        "mom.combine" => OpKind::Combine,
        "mom.append" => OpKind::Append,
        "mom.join_memories" => OpKind::JoinMemories,
        "mom.split_memories" => OpKind::SplitMemories,
        "mom.rotary" => OpKind::Rotary { base: attributes.float("base")? },
        "mom.append_cache" => OpKind::AppendCache,
        "mom.attention" => OpKind::Attention {
            window: if attributes.has("window") { Some(attributes.size("window")?) } else { None },
            scale: attributes.float("scale")?,
        },
        name => match Function::ALL.into_iter().find(|function| name.strip_prefix("mom.") == Some(function.name())) {
            Some(function) => OpKind::Elementwise(function),
            None => return refuse(format!("`{name}` is not an operation of a program")),
        },
    })
}

/// A letter or `_`, then letters, digits and `_`.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The number of elements of these sizes, if it can be counted.
fn product<'a>(mut sizes: impl Iterator<Item = &'a usize>) -> Option<usize> {
    sizes.try_fold(1_usize, |product, size| product.checked_mul((*size).max(1)))
}
