//! Scans: in which form an update rule runs, and which kernel does it.

use mom_dialect::{
    diagnostic::{Code, Diagnostic},
    graph::{Body, Op, UpdateRule},
    shape::{Axis, DType, Extent},
};

use super::{Scheduler, unsupported};
use crate::{
    algebra,
    form::{Heads, chunk, recurrent},
    kernel::{
        Kernel,
        scan::{self, wiring::Wiring},
    },
    options::{Form, Options},
    target::Target,
    tile::{Scan, Schedule, adjoint, cpu},
};

/// The update rule has not the form that was asked for.
pub const NO_SUCH_FORM: Code = Code(402);

/// A kernel over tiles does not hold together.
const MALFORMED: Code = Code(403);

/// The heads of a scan's inputs and parameters, and of its states.
pub(crate) fn scan_heads(body: &Body, rule: &UpdateRule, op: &Op) -> Heads {
    let of = |place: usize| {
        let value = op.operands.get(place);
        value.and_then(|&value| body.ty(value).axis("head")).and_then(Axis::size).unwrap_or(1)
    };
    let (inputs, parameters) = (rule.inputs.len(), rule.parameters.len());
    Heads {
        heads: of(inputs + parameters),
        inputs: (0..inputs).map(of).collect(),
        parameters: (inputs..inputs + parameters).map(of).collect(),
    }
}

/// An update rule in the form that the options ask for.
///
/// # Errors
/// E0402 where there is no such form, E0401 where momc cannot run the rule at all.
pub(crate) fn form(rule: &UpdateRule, heads: &Heads, options: &Options) -> Result<Scan, Box<Diagnostic>> {
    let refused = |message: String| Box::new(Diagnostic::error(NO_SUCH_FORM, message));
    match wanted(options) {
        Form::Auto | Form::Recurrent => {
            if let Some(chunk) = options.pinned.chunk.filter(|&chunk| chunk != 1) {
                return Err(refused(format!("the recurrent form takes one token a step, not chunk={chunk}")));
            }
            let schedule = options.pinned.apply(Schedule::RECURRENT).map_err(refused)?;
            recurrent::recurrent(rule, heads, &schedule).map_err(|message| unsupported(message, None))
        }
        Form::Chunk => {
            let refused = |why: &str| refused(format!("the update rule `{}` has no chunk form: {why}", rule.name));
            let chain = algebra::chain(rule).map_err(|_| match algebra::analyse(rule, false).refused {
                Some(found) => {
                    let diagnostic = refused(&found.reason).note(format!("the term is {}", found.term));
                    Box::new(match found.span {
                        Some(span) => diagnostic.at(span),
                        None => diagnostic,
                    })
                }
                None => refused("its equations are not affine in its states"),
            })?;
            let schedule = options.pinned.apply(Schedule::CHUNK);
            let schedule = schedule.map_err(|message| Box::new(Diagnostic::error(NO_SUCH_FORM, message)))?;
            chunk::chunk(&chain, heads, &schedule).map_err(|why| refused(&why))
        }
    }
}

/// The form that is asked for, also by the schedule.
fn wanted(options: &Options) -> Form {
    match (options.form, options.pinned.chunk) {
        (Form::Auto, Some(2..)) => Form::Chunk,
        (form, _) => form,
    }
}

/// A diagnostic at an operation's place, unless it has one.
fn at(diagnostic: Box<Diagnostic>, op: &Op) -> Box<Diagnostic> {
    match (&diagnostic.primary, &op.span) {
        (None, Some(span)) => Box::new(diagnostic.at(span.clone())),
        _ => diagnostic,
    }
}

/// A kernel over tiles that makes no sense, which is a fault of momc.
fn malformed(message: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::bug(MALFORMED, message))
}

/// The kernel of a scan: a form of the update rule, wired to a launch.
///
/// # Errors
/// As [`form`].
pub(crate) fn kernel<'a>(
    target: &'a Target,
    options: &Options,
    rule: &'a UpdateRule,
    heads: &Heads,
    memories: usize,
    wiring: Wiring,
) -> Result<Kernel<'a>, Box<Diagnostic>> {
    if wanted(options) != Form::Chunk && options.pinned == Default::default() {
        let port_heads = [&heads.inputs[..], &heads.parameters[..]].concat();
        let placement = scan::Placement { heads: heads.heads, port_heads, memories };
        if let Ok(kernel) = scan::scan(target, rule, placement, wiring.clone()) {
            return Ok(kernel);
        }
    }
    let form = form(rule, heads, options)?;
    form.verify().map_err(malformed)?;
    Ok(cpu::scan(target, &form, memories, wiring))
}

/// How many memories the segments of a scan belong to, and whether it tells padding apart.
pub(crate) fn stream(body: &Body, rule: &UpdateRule, op: &Op) -> Result<(usize, bool), String> {
    let ports = rule.arguments().count();
    let segments = op.operands.get(ports).and_then(|&segments| body.ty(segments).rows());
    Ok((segments.ok_or("a scan has no segments")?.sequences, op.operands.len() > ports + 1))
}

impl<'a> Scheduler<'a> {
    pub(super) fn scan(&self, op: &'a Op, update_rule: &str) -> Result<Kernel<'a>, Box<Diagnostic>> {
        let fault = |message: String| unsupported(message, op.span.clone());
        let rule = self.rule(update_rule).map_err(fault)?;
        let heads = scan_heads(&self.graph.body, rule, op);
        let (memories, masked) = stream(&self.graph.body, rule, op).map_err(fault)?;
        let (inputs, parameters) = (rule.inputs.len(), rule.parameters.len());
        let wiring = Wiring::plain(inputs, parameters, rule.states.len(), masked, rule.outputs.len());
        kernel(self.target, self.options, rule, &heads, memories, wiring).map_err(|found| at(found, op))
    }

    /// The kernel of a gradient, and the bytes that it works in.
    pub(super) fn scan_gradient(&self, op: &'a Op, update_rule: &str) -> Result<(Kernel<'a>, Extent), Box<Diagnostic>> {
        let fault = |message: String| unsupported(message, op.span.clone());
        let rule = self.rule(update_rule).map_err(fault)?;
        if op.results.iter().any(|&result| self.ty(result).axis("memory").is_some()) {
            return Err(fault("gradients through several memories are not compiled yet".into()));
        }
        let heads = scan_heads(&self.graph.body, rule, op);
        // Left the choice, the chunk form where there is one: gradients are of whole sequences, and token by token every
        // state between two saved ones is computed again and kept.
        let chunk = Options { form: Form::Chunk, ..self.options.clone() };
        let free = wanted(self.options) == Form::Auto;
        let form = match form(rule, &heads, &chunk) {
            Ok(chunk) if free => chunk,
            _ => form(rule, &heads, self.options).map_err(|found| at(found, op))?,
        };
        let gradient = adjoint::gradient(form);
        gradient.verify().map_err(|message| at(malformed(message), op))?;
        let workspace = cpu::gradient_workspace(self.target, &gradient).times(DType::F32.bytes());
        Ok((cpu::gradient(self.target, &gradient), workspace))
    }

    fn rule(&self, update_rule: &str) -> Result<&'a UpdateRule, String> {
        self.graph.update_rule(update_rule).ok_or_else(|| format!("there is no update rule `{update_rule}`"))
    }
}
