//! Draws diagnostics as text: what is wrong, the guilty lines of the user's file, and what to write instead.

use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level, Message, Renderer, Snippet, normalize_untrusted_str as printable,
};
use mom_dialect::diagnostic::{Diagnostic, Label, Severity};

/// Draws the diagnostics one after the other, separated by empty lines. Files are named as the user named them.
pub fn render(diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let texts: Vec<String> =
        diagnostics.iter().map(|diagnostic| renderer.render(&[group(diagnostic)]) + "\n").collect();
    texts.join("\n")
}

fn group(diagnostic: &Diagnostic) -> Group<'_> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Bug => Level::ERROR.with_name("internal error"),
    };
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code.to_string());
    let mut group = title.elements(snippets(diagnostic));
    let notes = diagnostic.notes.iter().map(|note| message(Level::NOTE, note));
    let help = diagnostic.help.iter().map(|help| message(Level::HELP, help));
    group = group.elements(notes).elements(help);
    if diagnostic.severity == Severity::Bug {
        let version = env!("CARGO_PKG_VERSION");
        group = group.element(Level::NOTE.message(format!("this is a fault of momc {version}; please report it")));
    }
    group
}

fn message<'a>(level: Level<'a>, text: &str) -> Message<'a> {
    level.message(printable(text))
}

/// One snippet for each file that the diagnostic points into, the guilty one first.
fn snippets(diagnostic: &Diagnostic) -> Vec<Snippet<'_, Annotation<'_>>> {
    let primary = diagnostic.primary.iter().map(|label| (AnnotationKind::Primary, label));
    let related = diagnostic.related.iter().map(|label| (AnnotationKind::Context, label));
    let mut labels: Vec<(AnnotationKind, &Label)> = primary.chain(related).collect();
    let mut snippets = Vec::new();
    while let Some((_, Label { span, .. })) = labels.first() {
        let source = &span.source;
        let (here, elsewhere) = labels.iter().partition(|(_, label)| label.span.source == *source);
        let annotations: Vec<_> = Vec::into_iter(here).map(|(kind, label)| annotation(kind, label)).collect();
        snippets.push(Snippet::source(&source.text).path(&source.name).annotations(annotations));
        labels = elsewhere;
    }
    snippets
}

/// Spans are cut to the text, so that no fault elsewhere can stop an error from being shown.
fn annotation(kind: AnnotationKind, label: &Label) -> Annotation<'_> {
    let text = &label.span.source.text;
    let boundary =
        |offset: usize| (0..=offset.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let end = boundary(label.span.range.end);
    let start = boundary(label.span.range.start).min(end);
    let message = (!label.message.is_empty()).then(|| printable(&label.message));
    kind.span(start..end).label(message)
}
