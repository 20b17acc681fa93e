//! What is wrong with a description, collected while all of it is read.

use mom_dialect::diagnostic::{Diagnostic, Diagnostics, Severity, Span};

use super::codes;

/// Errors and warnings so far.
#[derive(Default)]
pub(super) struct Findings(Diagnostics);

impl Findings {
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Reports that values standing at `places` do not go together, unless one of them has been refused already: then
    /// this is only a consequence.
    pub(super) fn contradiction(&mut self, places: &[&Span], diagnostic: Diagnostic) {
        let refused = |place: &&Span| {
            self.0.iter().any(|found| {
                found.severity != Severity::Warning && found.primary.as_ref().is_some_and(|label| label.span == **place)
            })
        };
        if !places.iter().any(refused) {
            self.0.push(diagnostic);
        }
    }

    pub(super) fn has_errors(&self) -> bool {
        self.0.iter().any(|found| found.severity != Severity::Warning)
    }

    /// Why the description is refused: everything found. A refusal without a reason would leave its reader helpless; it
    /// would be a fault of momc, and is reported as one.
    pub(super) fn refusal(mut self) -> Diagnostics {
        if !self.has_errors() {
            self.0.push(Diagnostic::bug(codes::CONTRADICTION, "a description was refused without a reason"));
        }
        self.sorted()
    }

    /// Everything found, in the order of the text.
    pub(super) fn sorted(mut self) -> Diagnostics {
        self.0.sort_by_key(|found| found.primary.as_ref().map_or(0, |label| label.span.range.start));
        self.0
    }
}
