//! What the cost model knows of a machine, as TOML: what `momc calibrate` writes and `--machine` reads.

use std::{path::Path, sync::Arc};

use mom_dialect::diagnostic::{Diagnostic, Diagnostics, Severity, Source, Span};
use mom_passes::fuse::cost::Machine;

use super::{
    codes,
    findings::Findings,
    open,
    reader::{Language, Reader},
    toml,
};

/// The most bytes of a level of memory, far beyond any; a level without `bytes` holds everything.
const MOST_BYTES: f64 = 1e18;

/// Reads the description of a machine.
///
/// # Errors
/// E0101 for a file that cannot be read, else whatever is wrong with it.
pub fn read(path: &Path) -> Result<Machine, Diagnostics> {
    parse(&open(path)?)
}

/// # Errors
/// Everything that is wrong with the text, E0102 to E0107.
pub fn parse(source: &Arc<Source>) -> Result<Machine, Diagnostics> {
    let root = toml::document(source)?;
    let mut findings = Findings::default();
    let top = Span::new(source, 0..0);
    let mut reader = Reader::new((source, Language::Toml), "the machine", (&root, top.clone()), &mut findings);
    let launch_ns = reader.required_positive("launch_ns", 1000.0);
    let product_flops = reader.required_positive("product_flops", 200.0);
    let vector_flops = reader.required_positive("vector_flops", 40.0);
    let threads = reader.required_positive("threads", 2.0);
    let tables = reader.tables("levels");
    reader.finish(Severity::Error);

    let mut levels: Vec<(f64, f64)> = Vec::new();
    let count = tables.len();
    for (index, table) in tables.into_iter().enumerate() {
        let mut reader = Reader::new((source, Language::Toml), "`[[levels]]`", table, &mut findings);
        let bytes = match index + 1 < count {
            true => reader.required_positive("bytes", 2e6),
            false => reader.optional_positive("bytes", 2e6).map_or(f64::INFINITY, |field| field.value),
        };
        let rate = reader.required_positive("bytes_per_ns", 100.0);
        let place = reader.place();
        reader.finish(Severity::Error);
        if levels.last().is_some_and(|(before, _)| bytes <= *before) || (bytes > MOST_BYTES && index + 1 < count) {
            let message = "each level of memory must hold more than the one before";
            let error = Diagnostic::error(codes::CONTRADICTION, message).at(place);
            findings.push(error.help("write the levels from the nearest, which is the smallest, to the farthest"));
        }
        levels.push((bytes, rate));
    }
    if levels.is_empty() && !findings.has_errors() {
        let error = Diagnostic::error(codes::MISSING_KEY, "the machine has no `[[levels]]` of memory").at(top);
        findings.push(error.help("write at least one, with its `bytes_per_ns`; `momc calibrate` writes such a file"));
    }
    match findings.has_errors() {
        true => Err(findings.refusal()),
        false => Ok(Machine { launch_ns, product_flops, vector_flops, levels, threads }),
    }
}

/// The text that reads back as the same machine.
pub fn to_toml(machine: &Machine) -> String {
    let Machine { launch_ns, product_flops, vector_flops, levels, threads } = machine;
    let mut text =
        String::from("# What momc's cost model knows of a machine; all rates are of all its cores together.\n");
    text += &format!("launch_ns = {launch_ns:?} # from the end of one launch to the start of the next\n");
    text += &format!("product_flops = {product_flops:?} # operations a nanosecond of a dense product in f32\n");
    text += &format!("vector_flops = {vector_flops:?} # of other vector code\n");
    text += &format!("threads = {threads:?} # that share the work of a launch\n");
    for (bytes, rate) in levels {
        text += "\n[[levels]]\n";
        if bytes.is_finite() {
            text += &format!("bytes = {bytes:?}\n");
        }
        text += &format!("bytes_per_ns = {rate:?}\n");
    }
    text
}
