//! Names: what each means on the line where it stands, and what is said about one that means nothing there.

use super::{Binding, Checker, Meaning, variant::mentions};
use crate::{
    diagnostic::{Diagnostic, Span},
    ops,
    rule::{
        codes,
        program::HEADS,
        syntax::{Name, Statement},
        unknown,
    },
};

/// The number of the head, as a value.
pub(super) const HEAD: &str = "head";

impl Checker<'_> {
    pub(super) fn bind(&mut self, name: &Name, meaning: Meaning) {
        if [HEAD, HEADS].contains(&name.text.as_str()) {
            return self.report(taken(name));
        }
        let other = self.bindings.iter().find(|binding| binding.name.text == name.text);
        if let Some(other) = other {
            let diagnostic = Diagnostic::error(codes::DUPLICATE_NAME, format!("`{}` is defined twice", name.text))
                .at(name.span.clone())
                .related(other.name.span.clone(), "first here")
                .help("choose another name");
            return self.report(diagnostic);
        }
        self.bindings.push(Binding { name: name.clone(), meaning, used: false });
    }

    /// Names of inputs, parameters, states and outputs that a program or a file of tensors has for something else.
    pub(super) fn check_outside_names(&mut self) {
        let program = &self.program;
        let given = || program.inputs.iter().chain(&program.parameters);
        let carried = given().chain(&program.states).map(|socket| &socket.name);
        let mut found = Vec::new();
        for name in carried.filter(|name| ops::input_type(&name.text).is_some()) {
            found.push(
                Diagnostic::error(codes::DUPLICATE_NAME, format!("`{}` has a meaning of its own", name.text))
                    .at(name.span.clone())
                    .help("an input of every program is called so; choose another name"),
            );
        }
        for state in &program.states {
            let before = given().map(|socket| (socket, '0', "before the first token"));
            let after = program.outputs.iter().map(|socket| (socket, 't', "after the last token"));
            for (other, ending, when) in before.chain(after) {
                if other.name.text.strip_suffix(ending) == Some(&state.name.text) {
                    let message =
                        format!("`{}` is the name of the state `{}` {when}", other.name.text, state.name.text);
                    found.push(
                        Diagnostic::error(codes::DUPLICATE_NAME, message)
                            .at(other.name.span.clone())
                            .related(state.name.span.clone(), "the state")
                            .help("files of tensors have both; choose another name"),
                    );
                }
            }
        }
        self.diagnostics.extend(found);
    }

    pub(super) fn mark_used(&mut self, name: &str) {
        if let Some(binding) = self.bindings.iter_mut().find(|binding| binding.name.text == name) {
            binding.used = true;
        }
    }

    /// What a name means on this line; nothing if it means nothing, which is then reported.
    pub(super) fn lookup(&mut self, name: &str, span: &Span) -> Option<Meaning> {
        if let Some(binding) = self.bindings.iter_mut().find(|binding| binding.name.text == name) {
            binding.used = true;
            return Some(binding.meaning.clone());
        }
        match name {
            HEAD => return Some(Meaning::Head),
            HEADS => return Some(Meaning::Heads),
            _ => {}
        }
        let later = self.rule.statements.iter().filter_map(Statement::introduces).find(|later| later.text == name);
        let loops = self.rule.statements.iter().filter_map(|statement| match statement {
            Statement::For(turns) => Some(turns),
            _ => None,
        });
        let in_loop = loops.flat_map(|turns| &turns.body).filter_map(Statement::introduces).find(|n| n.text == name);
        let diagnostic = if let Some(made) = later.or(in_loop).filter(|_| self.in_variant) {
            let message = format!("a variant knows the inputs only, and `{name}` is none");
            Diagnostic::error(codes::VARIANT, message).related(made.span.clone(), "the rule makes it here")
        } else if let Some(inner) = in_loop.filter(|inner| inner.span.range.start < span.range.start) {
            let message = format!("`{name}` is known within one turn of its loop only");
            Diagnostic::error(codes::UNKNOWN_NAME, message)
                .related(inner.span.clone(), "defined here")
                .help("keep what a loop makes in a state")
        } else if let Some(own) = later.filter(|_| self.defines_itself(name)) {
            let message = match &self.defining {
                Some(defining) if defining != name => format!("`{defining}` and `{name}` are defined by each other"),
                _ => format!("`{name}` is defined by itself"),
            };
            Diagnostic::error(codes::USED_BEFORE_DEFINITION, message)
                .related(own.span.clone(), "defined here")
                .help("only a state goes from token to token: `state NAME: AXES` and `next NAME = …`")
        } else if let Some(later) = later.or(in_loop) {
            Diagnostic::error(codes::USED_BEFORE_DEFINITION, format!("`{name}` is used before it is defined"))
                .related(later.span.clone(), "defined here")
                .help("move its definition above this line")
        } else if self.order.mentions(name) {
            Diagnostic::error(codes::UNKNOWN_NAME, format!("`{name}` is an axis, not a value"))
                .help(format!("its size is known in an option: `option size = {name}`"))
        } else {
            let known = self.bindings.iter().map(|binding| binding.name.text.as_str());
            unknown(codes::UNKNOWN_NAME, format!("nothing is called `{name}`"), name, known)
        };
        self.report(diagnostic.at(span.clone()));
        None
    }

    /// Whether the name that is used stands for what is being defined, or for something that is defined by it.
    fn defines_itself(&self, used: &str) -> bool {
        let Some(defining) = &self.defining else { return false };
        let lets = self.rule.statements.iter().filter_map(|statement| match statement {
            Statement::Let(name, value) => Some((name, value)),
            _ => None,
        });
        used == defining || lets.filter(|(name, _)| name.text == used).any(|(_, value)| mentions(value, defining))
    }
}

/// `head` and `heads` name what they name everywhere.
pub(super) fn taken(name: &Name) -> Diagnostic {
    let message = format!("`{}` has a meaning of its own", name.text);
    Diagnostic::error(codes::DUPLICATE_NAME, message)
        .at(name.span.clone())
        .help("`head` is the number of the head and `heads` their count; choose another name")
}
