//! Finds the text of the update rule that a model names: one that ships with momc, or a file.

use std::{fs, path::Path, sync::Arc};

use mom_dialect::{
    diagnostic::{Diagnostic, Source},
    rule::BUILTIN,
};

use super::{
    codes,
    findings::Findings,
    reader::{Field, did_you_mean},
    unreadable,
};

/// Looks for a shipped update rule of that name or, if the name ends in `.mom`, for a file relative to `folder`.
pub(super) fn find(name: &Field<String>, folder: &Path, findings: &mut Findings) -> Option<Arc<Source>> {
    if name.value.ends_with(".mom") {
        let path = folder.join(&name.value);
        return match fs::read_to_string(&path) {
            Ok(text) => Some(Source::new(path.display().to_string(), text)),
            Err(error) => {
                let help = "the path of an update rule is relative to the folder of the model's file";
                findings.push(unreadable(&path, &error).at(name.span.clone()).help(help));
                None
            }
        };
    }
    if let Some((_, text)) = BUILTIN.iter().find(|(shipped, _)| *shipped == name.value) {
        return Some(Source::new(format!("<builtin>/{}.mom", name.value), *text));
    }
    let shipped: Vec<&str> = BUILTIN.iter().map(|(shipped, _)| *shipped).collect();
    let mut error =
        Diagnostic::error(codes::UNKNOWN_UPDATE_RULE, format!("no update rule `{}` ships with momc", name.value))
            .at(name.span.clone())
            .note(format!("these ship with momc: {}", shipped.join(", ")));
    error.help = did_you_mean(&name.value, &shipped)
        .or_else(|| Some("a path to an update rule of your own ends in `.mom`".to_owned()));
    findings.push(error);
    None
}
