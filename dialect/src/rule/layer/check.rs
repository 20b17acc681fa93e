//! Names and axes of a layer part, checked line by line against the ports of its update rule.

use super::{
    super::{
        codes,
        program::{Program, Socket, not_arithmetic},
        syntax::{self, ExpressionKind, LayerLine, Name, Operator},
        unknown,
    },
    Definition, Expression, GROUP, HEAD, HIDDEN, Kind, LAYER_NUMBERS, Layer, MODEL, Role, Setting, Weight,
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Span},
    graph::Function,
};

/// What an update rule takes and gives.
#[derive(Clone, Copy)]
pub(in super::super) struct Ports<'a> {
    pub inputs: &'a [Socket],
    pub parameters: &'a [Socket],
    pub outputs: &'a [Socket],
    /// The update rule without variants, whose inputs a variant may do without.
    plain: &'a Program,
}

impl<'a> Ports<'a> {
    /// Those of an update rule, and of the same without variants.
    pub(in super::super) fn of(program: &'a Program, plain: &'a Program) -> Ports<'a> {
        Ports { inputs: &program.inputs, parameters: &program.parameters, outputs: &program.outputs, plain }
    }

    /// What the layer makes for the update rule.
    fn taken(self) -> impl Iterator<Item = &'a Socket> {
        self.inputs.iter().chain(self.parameters)
    }

    /// What the update rule takes without variants, but not with them.
    fn given_up(self, name: &str) -> Option<&'a Socket> {
        let mut taken = self.plain.inputs.iter().chain(&self.plain.parameters);
        taken.find(|port| port.name.text == name && self.role(name).is_none())
    }

    fn role(self, name: &str) -> Option<(Role, &'a Socket)> {
        let found = |ports: &'a [Socket]| ports.iter().position(|port| port.name.text == name);
        match found(self.inputs) {
            Some(number) => Some((Role::Input(number), &self.inputs[number])),
            None => found(self.parameters).map(|number| (Role::Parameter(number), &self.parameters[number])),
        }
    }
}

/// Checks a layer part against the ports of its update rule.
pub(in super::super) fn check(layer: &syntax::Layer, ports: Ports<'_>) -> (Layer, Diagnostics) {
    let mut checker = Checker {
        ports,
        weights: Vec::new(),
        settings: Vec::new(),
        values: Vec::new(),
        refused: Vec::new(),
        matrices: Vec::new(),
        filters: 0,
        diagnostics: Vec::new(),
    };
    // Weights may be declared below their use; everything else is in the order of its making.
    for line in &layer.lines {
        if let LayerLine::Weight(weight) = line {
            checker.declare(weight);
        }
    }
    let mut definitions = Vec::new();
    for line in &layer.lines {
        definitions.extend(checker.line(line));
    }
    if !layer.lines.iter().any(|line| matches!(line, LayerLine::Definition { name, .. } if name.text == "output")) {
        definitions.extend(checker.usual_output(layer));
    }
    checker.finish(layer, &definitions);
    let weights = checker.weights.into_iter().map(|(weight, _)| weight).collect();
    (Layer { weights, definitions, settings: checker.settings }, checker.diagnostics)
}

/// What an expression is made of.
pub(super) struct Found {
    pub kind: Kind,
    /// The axes that its value has, which may be fewer than those of the definition.
    pub axes: Vec<String>,
    pub reads_tokens: bool,
}

/// A name with a value in every row.
struct Value {
    name: String,
    axes: Vec<String>,
    reads_tokens: bool,
    /// It follows from the token alone, whatever other tokens a memory sees.
    of_token: bool,
    used: bool,
    span: Span,
}

pub(super) struct Checker<'a> {
    pub ports: Ports<'a>,
    /// Declared weights, and whether something uses them.
    pub weights: Vec<(Weight, bool)>,
    settings: Vec<Setting>,
    values: Vec<Value>,
    /// Names whose definitions were refused; their uses are not reported again.
    refused: Vec<String>,
    /// Projections and filters by name, with what they are: the axes of a checkpoint's tensor follow from it.
    pub matrices: Vec<(String, Matrix)>,
    /// Short convolutions of the definition at hand.
    pub filters: usize,
    diagnostics: Diagnostics,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Matrix {
    Projection {
        to: Vec<String>,
        from: Vec<String>,
        per_memory: bool,
    },
    Filter {
        axes: Vec<String>,
    },
    /// One tensor of the model with a row for each layer.
    OfLayers {
        axes: Vec<String>,
    },
}

/// The definition that an expression belongs to.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub axes: &'a [String],
    pub role: Role,
}

impl Checker<'_> {
    fn declare(&mut self, declaration: &syntax::Declaration) {
        let name = &declaration.name;
        if self.weights.iter().any(|(weight, _)| weight.name == name.text) {
            let message = format!("the weight `{}` is declared twice", name.text);
            return self.report(Diagnostic::error(codes::DUPLICATE_NAME, message).at(name.span.clone()));
        }
        let axes = declaration.axes.iter().map(|axis| axis.text.clone()).collect();
        self.weights.push((Weight { name: name.text.clone(), axes, span: name.span.clone() }, false));
    }

    fn line(&mut self, line: &LayerLine) -> Option<Definition> {
        match line {
            LayerLine::Weight(_) => None,
            LayerLine::Axis(name, default) => self.setting(name, default, true),
            LayerLine::Option(name, default) => self.setting(name, default, false),
            LayerLine::Let(declaration, value) => {
                let name = &declaration.name;
                if let Some((_, port)) = self.ports.role(&name.text) {
                    let message = format!("`{}` is an input of the update rule", name.text);
                    self.report(
                        Diagnostic::error(codes::DUPLICATE_NAME, message)
                            .at(name.span.clone())
                            .related(port.name.span.clone(), "declared here")
                            .help(format!("write `{} = …` without `let`, or choose another name", name.text)),
                    );
                    return None;
                }
                let axes = self.axes(&declaration.axes)?;
                self.define(name, Role::Let, axes, value)
            }
            LayerLine::Definition { name, axes, value } => {
                let (role, default) = self.target(name)?;
                let axes = match axes {
                    None => default,
                    Some(written) => {
                        let written_axes = self.axes(written)?;
                        let grouped = [&[GROUP.to_owned()], &default[1..]].concat();
                        if written_axes != default
                            && !(written_axes == grouped && matches!(role, Role::Input(_) | Role::Let))
                        {
                            let message = format!("`{}` has the axes {}", name.text, list(&default));
                            let span = written.first().map_or(&name.span, |axis| &axis.span);
                            self.report(Diagnostic::error(codes::AXES, message).at(span.clone()).help(format!(
                                "leave the axes out, or write `{GROUP}` in place of `{HEAD}` for fewer heads"
                            )));
                            return None;
                        }
                        written_axes
                    }
                };
                self.define(name, role, axes, value)
            }
        }
    }

    /// What a line without a keyword defines, and the axes that it has unless the line says otherwise.
    fn target(&mut self, name: &Name) -> Option<(Role, Vec<String>)> {
        let of_head = |port: &Socket| [&[HEAD.to_owned()], &port.axes[..]].concat();
        if let Some((role, port)) = self.ports.role(&name.text) {
            return Some((role, of_head(port)));
        }
        if let Some(port) = self.ports.given_up(&name.text) {
            return Some((Role::Let, of_head(port)));
        }
        let role = match name.text.as_str() {
            "read" => Role::Read,
            "output" => Role::Output,
            _ => {
                let names = || self.ports.taken().map(|port| port.name.text.as_str());
                let message = format!("the update rule has no input `{}`", name.text);
                let diagnostic = unknown(codes::LAYER_INPUTS, message, &name.text, names()).at(name.span.clone());
                self.report(diagnostic);
                return None;
            }
        };
        let output = self.ports.outputs.first()?;
        Some((role, of_head(output)))
    }

    /// What a layer without a line for it does, as a MoM layer: `rms_norm(o, o_norm) * gate(silu(project(g_proj)))` with
    /// a weight over the last axis of the rule's output `o`.
    fn usual_output(&mut self, layer: &syntax::Layer) -> Option<Definition> {
        let output = self.ports.outputs.first()?;
        let axes = [&[HEAD.to_owned()], &output.axes[..]].concat();
        let span = &layer.span;
        let of = |kind: Kind| Expression { kind, span: span.clone() };
        let (norm, gate) = ("o_norm".to_owned(), "g_proj".to_owned());
        let declared = self.weights.iter().find(|(weight, _)| [&norm, &gate].contains(&&weight.name));
        let declared = declared.map(|(weight, _)| (weight.name.clone(), weight.span.clone()));
        let projected = self.matrices.iter().any(|(name, _)| *name == gate).then(|| (gate.clone(), span.clone()));
        if let Some((taken, span)) = declared.or(projected) {
            let message = format!("`{taken}` is a weight of every layer that does not say what its `output` is");
            let diagnostic = Diagnostic::error(codes::DUPLICATE_NAME, message).at(span);
            self.report(diagnostic.help("choose another name, or write `output = …`"));
            return None;
        }
        let last = axes.last().cloned().into_iter().collect();
        self.weights.push((Weight { name: norm.clone(), axes: last, span: span.clone() }, true));
        let projection = Matrix::Projection { to: axes.clone(), from: vec![MODEL.to_owned()], per_memory: false };
        self.matrix(&gate, projection, span)?;
        let read = of(Kind::Name(output.name.text.clone()));
        let normalised = of(Kind::RmsNorm { value: read.into(), weight: Some(norm), eps: None });
        let gate = of(Kind::Project { weight: gate, of: HIDDEN.to_owned(), per_memory: false });
        let gate = of(Kind::Gate(of(Kind::Elementwise(Function::Silu, vec![gate])).into()));
        let value = of(Kind::Elementwise(Function::Mul, vec![normalised, gate]));
        Some(Definition { name: "output".to_owned(), role: Role::Output, axes, value, span: span.clone() })
    }

    fn setting(&mut self, name: &Name, default: &syntax::Expression, is_axis: bool) -> Option<Definition> {
        if self.settings.iter().any(|setting| setting.name.text == name.text) {
            let message = format!("`{}` is defined twice", name.text);
            self.report(Diagnostic::error(codes::DUPLICATE_NAME, message).at(name.span.clone()));
            return None;
        }
        self.arithmetic(default);
        self.settings.push(Setting { name: name.clone(), default: default.clone(), is_axis });
        None
    }

    /// Numbers, earlier settings, sizes of axes and signs between them.
    fn arithmetic(&mut self, expression: &syntax::Expression) {
        match &expression.kind {
            ExpressionKind::Number(number) if number.is_finite() => {}
            ExpressionKind::Name(name) if self.is_number(name) || self.is_axis(name) => {}
            ExpressionKind::Name(name) => {
                let message = format!("nothing is called `{name}`");
                let known = self.settings.iter().map(|setting| setting.name.text.as_str()).chain(LAYER_NUMBERS);
                let diagnostic = unknown(codes::UNKNOWN_NAME, message, name, known).at(expression.span.clone());
                self.report(diagnostic);
            }
            ExpressionKind::Negate(operand) => self.arithmetic(operand),
            ExpressionKind::Binary { operator, left, right } if *operator != Operator::Product => {
                self.arithmetic(left);
                self.arithmetic(right);
            }
            _ => self.report(*not_arithmetic(expression)),
        }
    }

    pub(super) fn is_number(&self, name: &str) -> bool {
        LAYER_NUMBERS.contains(&name) || self.settings.iter().any(|setting| setting.name.text == name)
    }

    fn is_axis(&self, name: &str) -> bool {
        [HEAD, GROUP, MODEL, "key", "value"].contains(&name)
            || self.ports.taken().chain(self.ports.outputs).any(|port| port.axes.iter().any(|axis| axis == name))
            || self.settings.iter().any(|setting| setting.is_axis && setting.name.text == name)
    }

    /// Axes as written, each known.
    fn axes(&mut self, written: &[Name]) -> Option<Vec<String>> {
        for (at, axis) in written.iter().enumerate() {
            if written[..at].iter().any(|other| other.text == axis.text) {
                let message = format!("the axis `{}` stands here twice", axis.text);
                self.report(Diagnostic::error(codes::AXES, message).at(axis.span.clone()));
                return None;
            }
            if !self.is_axis(&axis.text) {
                let message = format!("there is no axis `{}`", axis.text);
                let help = format!("give it a size above this line: `axis {} = 16`", axis.text);
                self.report(Diagnostic::error(codes::UNKNOWN_NAME, message).at(axis.span.clone()).help(help));
                return None;
            }
        }
        Some(written.iter().map(|axis| axis.text.clone()).collect())
    }

    fn define(
        &mut self,
        name: &Name,
        role: Role,
        axes: Vec<String>,
        expression: &syntax::Expression,
    ) -> Option<Definition> {
        if self.values.iter().any(|value| value.name == name.text) || self.refused.contains(&name.text) {
            let message = format!("`{}` is defined twice", name.text);
            self.report(Diagnostic::error(codes::DUPLICATE_NAME, message).at(name.span.clone()));
            return None;
        }
        self.filters = 0;
        let checked = self.whole(name, expression, Place { axes: &axes, role });
        let Some((value, reads_tokens)) = checked else {
            self.refused.push(name.text.clone());
            return None;
        };
        let of_token = self.follows_from_token(&value);
        if !matches!(role, Role::Read | Role::Output) {
            self.values.push(Value {
                name: name.text.clone(),
                axes: axes.clone(),
                reads_tokens,
                of_token,
                used: role != Role::Let || self.ports.given_up(&name.text).is_some(),
                span: name.span.clone(),
            });
        }
        Some(Definition { name: name.text.clone(), role, axes, value, span: name.span.clone() })
    }

    /// The value of a definition, which must have all of its axes and differ from token to token where it can.
    fn whole(&mut self, name: &Name, expression: &syntax::Expression, place: Place<'_>) -> Option<(Expression, bool)> {
        let (value, axes, reads_tokens) = self.expression(expression, place)?;
        let span = expression.span.clone();
        match place.role {
            Role::Parameter(_) if reads_tokens => {
                let message = format!("the parameter `{}` is the same for all tokens, and this is not", name.text);
                let help = "make it from declared weights and numbers";
                self.report(Diagnostic::error(codes::LAYER_INPUTS, message).at(span).help(help));
                return None;
            }
            Role::Parameter(_) | Role::Let => {}
            _ if !reads_tokens => {
                let message = format!("`{}` is the same for all tokens", name.text);
                let help = "make it from the hidden states with `project(…)`";
                self.report(Diagnostic::error(codes::LAYER_INPUTS, message).at(span).help(help));
                return None;
            }
            _ => {}
        }
        if let Some(missing) = place.axes.iter().find(|axis| !axes.contains(axis)) {
            let message = format!("`{}` has the axis `{missing}`, which this lacks", name.text);
            self.report(Diagnostic::error(codes::AXES, message).at(span).help("a projection makes all axes"));
            return None;
        }
        Some((value, reads_tokens))
    }

    fn follows_from_token(&self, value: &Expression) -> bool {
        value.parts().iter().all(|part| match &part.kind {
            Kind::ShortConv { .. } | Kind::Project { per_memory: true, .. } => false,
            Kind::Name(name) | Kind::Project { of: name, .. } => {
                self.values.iter().find(|value| value.name == *name).is_none_or(|value| value.of_token)
            }
            _ => true,
        })
    }

    /// A checked expression, the axes of its value and whether it differs from token to token; nothing if refused.
    pub(super) fn expression(
        &mut self,
        expression: &syntax::Expression,
        place: Place<'_>,
    ) -> Option<(Expression, Vec<String>, bool)> {
        let span = expression.span.clone();
        let found = match &expression.kind {
            ExpressionKind::Number(number) if number.is_finite() => constant(Kind::Number(*number)),
            ExpressionKind::Number(_) => {
                self.report(Diagnostic::error(codes::SYNTAX, "this number is too large").at(span));
                return None;
            }
            ExpressionKind::Name(name) => self.name(name, place, &span)?,
            ExpressionKind::Negate(operand) => self.elementwise(Function::Neg, &[operand], place)?,
            ExpressionKind::Call { function, arguments } => self.call(function, arguments, place, &span)?,
            ExpressionKind::Binary { operator, left, right } => {
                let function = match operator {
                    Operator::Add => Function::Add,
                    Operator::Sub => Function::Sub,
                    Operator::Mul => Function::Mul,
                    Operator::Div => Function::Div,
                    Operator::Product | Operator::Power => {
                        let help = format!("write `{} * {}`", left.quoted(), right.quoted());
                        self.report(not_here("a matrix product or a power").at(span).help(help));
                        return None;
                    }
                };
                self.elementwise(function, &[left, right], place)?
            }
            ExpressionKind::PerMemory(name) => {
                let help = format!("write `project({} per memory)`", name.text);
                self.report(not_here("`per memory` outside of `project(…)`").at(span).help(help));
                return None;
            }
            ExpressionKind::Transpose(_) | ExpressionKind::Entry { .. } => {
                self.report(not_here("a transpose or an entry").at(span));
                return None;
            }
        };
        Some((Expression { kind: found.kind, span }, found.axes, found.reads_tokens))
    }

    pub(super) fn elementwise(
        &mut self,
        function: Function,
        operands: &[&syntax::Expression],
        place: Place<'_>,
    ) -> Option<Found> {
        // All operands are looked at, so that one run reports what is wrong in each.
        let checked: Vec<_> = operands.iter().map(|operand| self.expression(operand, place)).collect();
        let checked: Vec<_> = checked.into_iter().collect::<Option<_>>()?;
        let has = |axis: &String| checked.iter().any(|(_, axes, _)| axes.contains(axis));
        let axes = place.axes.iter().filter(|axis| has(axis)).cloned().collect();
        let reads_tokens = checked.iter().any(|(_, _, reads)| *reads);
        let values = checked.into_iter().map(|(value, ..)| value).collect();
        Some(Found { kind: Kind::Elementwise(function, values), axes, reads_tokens })
    }

    pub(super) fn name(&mut self, name: &str, place: Place<'_>, span: &Span) -> Option<Found> {
        if self.is_number(name) {
            return Some(constant(Kind::Setting(name.to_owned())));
        }
        if let Some((weight, used)) = self.weights.iter_mut().find(|(weight, _)| weight.name == name) {
            *used = true;
            let axes = weight.axes.clone();
            self.fits(&format!("the weight `{name}`"), &axes, place.axes, span)?;
            return Some(Found { kind: Kind::Weight(name.to_owned()), axes, reads_tokens: false });
        }
        let (axes, reads_tokens) = self.value(name, place, span)?;
        self.fits(&format!("`{name}`"), &axes, place.axes, span)?;
        Some(Found { kind: Kind::Name(name.to_owned()), axes, reads_tokens })
    }

    /// The axes of a value with this name, and whether it differs from token to token.
    pub(super) fn value(&mut self, name: &str, place: Place<'_>, span: &Span) -> Option<(Vec<String>, bool)> {
        if name == HIDDEN {
            return Some((vec![MODEL.to_owned()], true));
        }
        if matches!(place.role, Role::Read | Role::Output)
            && let Some(output) = self.ports.outputs.iter().find(|output| output.name.text == name)
        {
            return Some(([&[HEAD.to_owned()], &output.axes[..]].concat(), true));
        }
        if self.refused.iter().any(|refused| refused == name) {
            return None;
        }
        if let Some(value) = self.values.iter_mut().find(|value| value.name == name) {
            value.used = true;
            if place.role == Role::Output && !value.of_token {
                let message = format!("memories see `{name}` each in their own way, and `output` is made of their mix");
                let help = "write `read = …`, which is made for each memory";
                let declared = value.span.clone();
                self.report(
                    Diagnostic::error(codes::NOT_HERE, message)
                        .at(span.clone())
                        .related(declared, "defined here")
                        .help(help),
                );
                return None;
            }
            return Some((value.axes.clone(), value.reads_tokens));
        }
        let known = self.weights.iter().map(|(weight, _)| weight.name.as_str());
        let known = known.chain(self.values.iter().map(|value| value.name.as_str()));
        let mut diagnostic = unknown(codes::UNKNOWN_NAME, format!("no weight is called `{name}`"), name, known);
        if diagnostic.help.is_none() {
            diagnostic =
                diagnostic.help(format!("declare it, as in `weight {name}: head`, or write `project({name})`"));
        }
        self.report(diagnostic.at(span.clone()));
        None
    }

    /// Whether all axes of a part are among those of the definition.
    fn fits(&mut self, what: &str, part: &[String], axes: &[String], span: &Span) -> Option<()> {
        let Some(axis) = part.iter().find(|axis| !axes.contains(axis)) else { return Some(()) };
        let message = match axes {
            [] => format!("{what} has the axis `{axis}`, and this definition has none"),
            _ => format!("{what} has the axis `{axis}`, and this definition has only {}", list(axes)),
        };
        self.report(Diagnostic::error(codes::AXES, message).at(span.clone()));
        None
    }

    /// What only the whole layer part shows: ports that nothing makes, names that nothing uses.
    fn finish(&mut self, layer: &syntax::Layer, definitions: &[Definition]) {
        for port in self.ports.taken() {
            let name = &port.name.text;
            if !definitions.iter().any(|definition| definition.name == *name) && !self.refused.contains(name) {
                let example = if self.ports.inputs.iter().any(|input| input.name.text == *name) {
                    "project(…)"
                } else {
                    "…` from declared weights, as in `weight w: head` and `u = w"
                };
                let message = format!("the layer does not make the input `{name}`");
                self.diagnostics.push(
                    Diagnostic::error(codes::LAYER_INPUTS, message)
                        .at(layer.span.clone())
                        .related(port.name.span.clone(), "declared here")
                        .help(format!("write `{name} = {example}`")),
                );
            }
        }
        if !self.diagnostics.is_empty() {
            return;
        }
        let weights = self.weights.iter().filter(|(_, used)| !used);
        let weights = weights.map(|(weight, _)| (format!("the weight `{}`", weight.name), &weight.span));
        let values = self.values.iter().filter(|value| !value.used);
        let values = values.map(|value| (format!("`{}`", value.name), &value.span));
        for (what, span) in weights.chain(values) {
            self.diagnostics.push(
                Diagnostic::error(codes::NEVER_USED, format!("{what} is never used"))
                    .at(span.clone())
                    .help("use it or take it out"),
            );
        }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

fn constant(kind: Kind) -> Found {
    Found { kind, axes: Vec::new(), reads_tokens: false }
}

pub(super) fn not_here(what: &str) -> Diagnostic {
    Diagnostic::error(codes::NOT_HERE, format!("{what} has no meaning in the layer part"))
}

pub(super) fn list(axes: &[String]) -> String {
    axes.iter().map(|axis| format!("`{axis}`")).collect::<Vec<_>>().join(", ")
}
