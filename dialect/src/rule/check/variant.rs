//! Variants: what stands between the inputs as they come and the inputs of the rule.
//!
//! Those that are on follow one another in the order of the file: the first sees the inputs as they come, the last
//! makes those of the rule. So what comes is found from the last to the first, and computed from the first to the last.

use super::{Binding, Checker, Meaning, Value};
use crate::{
    diagnostic::Diagnostic,
    rule::{
        axes::Shape,
        codes,
        syntax::{Declaration, Expression, ExpressionKind, Input, Rule, Variant},
        unknown,
    },
};

/// Inputs before the first variant, after the first, …, after the last, which are the rule's.
pub(super) fn stages(rule: &Rule, variants: &[&Variant]) -> Vec<Vec<Input>> {
    let own = rule.inputs.iter().map(|declaration| Input { declaration: declaration.clone(), is_parameter: false });
    let mut stages: Vec<Vec<Input>> = vec![own.collect()];
    for variant in variants.iter().rev() {
        let after = &stages[stages.len() - 1];
        let mut before = Vec::new();
        for input in after {
            let name = &input.declaration.name.text;
            let declared = variant.further.iter().find(|further| further.declaration.name.text == *name);
            let definition = variant.definitions.iter().find(|(defined, _)| defined.text == *name);
            match (declared, definition) {
                (Some(further), _) => before.push(further.clone()),
                (None, Some((_, value))) if !mentions(value, name) => {}
                _ => before.push(input.clone()),
            }
        }
        let known = |before: &[Input], name: &str| before.iter().any(|input| input.declaration.name.text == name);
        for further in &variant.further {
            if !known(&before, &further.declaration.name.text) {
                before.push(further.clone());
            }
        }
        stages.push(before);
    }
    stages.reverse();
    stages
}

/// Whether an expression uses a name. The parser bounds its depth.
pub(super) fn mentions(expression: &Expression, name: &str) -> bool {
    match &expression.kind {
        ExpressionKind::Number(_) | ExpressionKind::PerMemory(_) => false,
        ExpressionKind::Name(own) => own == name,
        ExpressionKind::Negate(operand) | ExpressionKind::Transpose(operand) => mentions(operand, name),
        ExpressionKind::Entry { value, .. } => mentions(value, name),
        ExpressionKind::Call { arguments, .. } => arguments.iter().any(|argument| mentions(argument, name)),
        ExpressionKind::Binary { left, right, .. } => mentions(left, name) || mentions(right, name),
    }
}

impl Checker<'_> {
    /// Makes the inputs after a variant from those before it, which are bound.
    pub(super) fn variant(&mut self, variant: &Variant, after: &[Input]) {
        for (at, (name, _)) in variant.definitions.iter().enumerate() {
            if let Some((first, _)) = variant.definitions[..at].iter().find(|(other, _)| other.text == name.text) {
                let message = format!("`{}` is made twice", name.text);
                let first = first.span.clone();
                self.report(
                    Diagnostic::error(codes::DUPLICATE_NAME, message)
                        .at(name.span.clone())
                        .related(first, "first here"),
                );
            }
            if !self.rule.inputs.iter().any(|input| input.name.text == name.text) {
                let known = self.rule.inputs.iter().map(|input| input.name.text.as_str());
                let message = format!("`{}` is no input of the update rule", name.text);
                self.report(unknown(codes::VARIANT, message, &name.text, known).at(name.span.clone()));
            }
        }
        let needed = |name: &str| after.iter().any(|input| input.declaration.name.text == name);
        for (name, _) in &variant.definitions {
            if self.rule.inputs.iter().any(|input| input.name.text == name.text) && !needed(&name.text) {
                let variant = &variant.name.text;
                let message = format!("`{variant}` makes `{}`, and a later variant makes it anew", name.text);
                let help = "these variants exclude each other; turn one of them off";
                self.report(Diagnostic::error(codes::VARIANT, message).at(name.span.clone()).help(help));
            }
        }
        let values: Vec<Option<Value>> = variant
            .definitions
            .iter()
            .map(|(name, expression)| {
                let value = self.expression(expression)?;
                let value = self.dense(&value, &expression.span);
                let input = after.iter().find(|input| input.declaration.name.text == name.text)?;
                // An input that comes with another type has that type from here on.
                let expected = Shape::declared(&input.declaration);
                let retyped = self.bindings.iter().any(|binding| {
                    let Meaning::Value(came) = &binding.meaning else { return false };
                    binding.name.text == name.text && came.shape != expected
                });
                self.has_type(expression, &value, &input.declaration, retyped)?;
                Some(self.in_port(value, &expression.span))
            })
            .collect();
        for ((name, _), value) in variant.definitions.iter().zip(values) {
            let meaning = value.map_or(Meaning::Refused, Meaning::Value);
            match self.bindings.iter_mut().find(|binding| binding.name.text == name.text) {
                Some(binding) => binding.meaning = meaning,
                None => self.bindings.push(Binding { name: name.clone(), meaning, used: false }),
            }
        }
        let stays = |binding: &Binding| after.iter().any(|input| input.declaration.name.text == binding.name.text);
        let gone: Vec<Binding> = self.bindings.extract_if(.., |binding| !stays(binding)).collect();
        for binding in gone.into_iter().filter(|binding| !binding.used) {
            self.unused.push(binding.name);
        }
    }

    fn has_type(
        &mut self,
        expression: &Expression,
        value: &Value,
        declaration: &Declaration,
        retyped: bool,
    ) -> Option<()> {
        let expected = Shape::declared(declaration);
        if retyped || value.shape.on_paper() == expected.on_paper() {
            return Some(());
        }
        let message = format!("the input `{}` is `{expected}`, this is `{}`", declaration.name.text, value.shape);
        self.report(Diagnostic::error(codes::AXES, message).at(expression.span.clone()));
        None
    }
}
