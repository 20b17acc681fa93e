//! Programs through MLIR: the dialect `mom` in an MLIR context, and a program's text read back.
//!
//! MLIR parses the text and checks it against `mom.irdl.mlir`; what it read is copied into plain values (`tree`), and
//! those become a [`Graph`] (`read`). All `unsafe` code of this crate is in this file: melior lacks some of MLIR's
//! accessors, and some that it has panic on texts which MLIR accepts (empty strings, strings that are not UTF-8).

#![allow(unsafe_code)]

mod read;
mod text;
mod tree;

use std::{ffi::c_void, ptr, slice, str, sync::Arc};

use melior::{
    Context,
    dialect::DialectRegistry,
    ir::{
        Attribute, AttributeLike, BlockLike, Identifier, Location, Module, Operation, RegionLike, Type, TypeLike,
        ValueLike,
        operation::OperationLike,
        r#type::{DimSize, IntegerType, RankedTensorType, ShapedTypeLike},
    },
    utility,
};
use mlir_sys::{
    MlirDiagnostic, MlirDiagnosticSeverity_MlirDiagnosticError, MlirLogicalResult, MlirStringRef,
    mlirArrayAttrGetElement, mlirArrayAttrGetNumElements, mlirBoolAttrGetValue, mlirContextAttachDiagnosticHandler,
    mlirContextDetachDiagnosticHandler, mlirDiagnosticGetLocation, mlirDiagnosticGetNote, mlirDiagnosticGetNumNotes,
    mlirDiagnosticGetSeverity, mlirDiagnosticPrint, mlirFlatSymbolRefAttrGetValue, mlirFloatAttrGetValueDouble,
    mlirIdentifierStr, mlirIntegerAttrGetValueInt, mlirOperationCreateParse, mlirStringAttrGetValue, mlirTypePrint,
};

use self::text::Text;
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, Source, Span},
    graph::Graph,
};

/// The definition of the dialect `mom`; `mlir-opt --irdl-file` takes the same text.
pub const IRDL: &str = include_str!("../mom.irdl.mlir");

/// MLIR refuses the text.
const REFUSED: Code = Code(240);

const WHOLE: &str = "a program is one `module @name { … }` with its operations inside";

/// An MLIR context with all of MLIR's dialects and `mom`.
///
/// MLIR ends the process when a dialect is defined twice in one context, so this is the only way to get `mom` into one.
pub fn context() -> Context {
    let registry = DialectRegistry::new();
    utility::register_all_dialects(&registry);
    let context = Context::new();
    context.append_dialect_registry(&registry);
    context.load_all_available_dialects();
    let loaded = Module::parse(&context, IRDL).is_some_and(|module| utility::load_irdl_dialects(&module));
    assert!(loaded, "mom.irdl.mlir is part of the program and read by every test");
    context
}

/// Reads the text of a program; [`crate::verify`] then checks what it means.
///
/// Operations take their spans from the text's locations where these point into `source` itself, as they do unless the
/// text says otherwise.
///
/// # Errors
/// E0240, what MLIR has to say about the text; E0241, what makes a well-formed text no program.
pub fn parse(source: &Arc<Source>) -> Result<Graph, Diagnostics> {
    let text = Text::new(source);
    if let Some(span) = text.too_deep() {
        return Err(vec![Diagnostic::error(REFUSED, "brackets nest too deeply to be read").at(span)]);
    }
    let context = context();
    // Diagnostics then arrive in order and on this thread.
    context.enable_multi_threading(false);
    let mut collected = Collected { text: &text, diagnostics: Vec::new() };
    match parse_operation(&context, &mut collected) {
        Some(operation) => read::graph(&tree_of(&operation, &text)),
        None if collected.diagnostics.is_empty() => {
            Err(vec![Diagnostic::error(REFUSED, "this is not MLIR text").help(WHOLE)])
        }
        None => Err(collected.diagnostics),
    }
}

/// The operation that a text consists of, verified.
fn parse_operation<'c>(context: &'c Context, collected: &mut Collected<'_>) -> Option<Operation<'c>> {
    // The lexer reads one byte past the end and wants it to be zero.
    let terminated = format!("{}\0", collected.text.source.text);
    let (text, name) = (&terminated[..terminated.len() - 1], &collected.text.source.name);
    // SAFETY: the handler gets the address of `collected`, which outlives it, because it is detached below, and which
    // is not used in between. The context runs on this thread only. Texts and names live until the call returns; an
    // operation that is not null belongs to the caller.
    unsafe {
        let data = ptr::from_mut(collected).cast();
        let handler = mlirContextAttachDiagnosticHandler(context.to_raw(), Some(collect), data, None);
        let raw = mlirOperationCreateParse(context.to_raw(), string_ref(text), string_ref(name));
        mlirContextDetachDiagnosticHandler(context.to_raw(), handler);
        Operation::from_option_raw(raw)
    }
}

fn string_ref(text: &str) -> MlirStringRef {
    MlirStringRef { data: text.as_ptr().cast(), length: text.len() }
}

// --- MLIR's diagnostics.

/// What MLIR said while it read a text.
struct Collected<'a> {
    text: &'a Text,
    diagnostics: Diagnostics,
}

unsafe extern "C" fn collect(raw: MlirDiagnostic, data: *mut c_void) -> MlirLogicalResult {
    // SAFETY: `data` is the address that `parse_operation` gave and nobody else uses now; MLIR's diagnostic lives
    // until this function returns, and its notes as long as itself.
    unsafe {
        let collected = &mut *data.cast::<Collected<'_>>();
        if mlirDiagnosticGetSeverity(raw) == MlirDiagnosticSeverity_MlirDiagnosticError {
            let text = collected.text;
            let location = Location::from_raw(mlirDiagnosticGetLocation(raw));
            let diagnostic = Diagnostic::error(REFUSED, message(raw));
            let mut diagnostic = match (span(location, text), place(location)) {
                (Some(span), _) => diagnostic.at(span),
                (None, Some((file, line, column))) if line > 0 => {
                    diagnostic.note(format!("the operation says that {file}:{line}:{column} asked for it"))
                }
                // What has no place of its own is about the text as a whole.
                (None, _) => diagnostic.at(text.span_at(0)).help(WHOLE),
            };
            for index in 0..mlirDiagnosticGetNumNotes(raw) {
                let note = mlirDiagnosticGetNote(raw, index);
                let message = message(note);
                // This note repeats in MLIR's words what stands at the span.
                if message.starts_with("see current operation") {
                    continue;
                }
                diagnostic = match span(Location::from_raw(mlirDiagnosticGetLocation(note)), text) {
                    Some(span) => diagnostic.related(span, message),
                    None => diagnostic.note(message),
                };
            }
            collected.diagnostics.push(diagnostic);
        }
    }
    // Handled: MLIR need not print it.
    MlirLogicalResult { value: 1 }
}

/// # Safety
/// The diagnostic must be alive.
unsafe fn message(raw: MlirDiagnostic) -> String {
    let mut bytes = Vec::<u8>::new();
    // SAFETY: `append` gets the address of `bytes`, during this call only.
    unsafe { mlirDiagnosticPrint(raw, Some(append), ptr::from_mut(&mut bytes).cast()) };
    String::from_utf8_lossy(&bytes).into_owned()
}

unsafe extern "C" fn append(piece: MlirStringRef, data: *mut c_void) {
    // SAFETY: everybody who passes this function passes the address of a `Vec<u8>` with it; `piece` is alive.
    unsafe { (*data.cast::<Vec<u8>>()).extend_from_slice(bytes(piece)) }
}

/// # Safety
/// The reference must point to as many bytes as it says, which stay as they are for `'a`.
unsafe fn bytes<'a>(text: MlirStringRef) -> &'a [u8] {
    if text.length == 0 {
        return &[];
    }
    // SAFETY: by this function's own condition; the pointer is not null where there are bytes.
    unsafe { slice::from_raw_parts(text.data.cast(), text.length) }
}

fn identifier<'c>(identifier: Identifier<'c>) -> &'c [u8] {
    // SAFETY: the context keeps identifiers as long as it lives.
    unsafe { bytes(mlirIdentifierStr(identifier.to_raw())) }
}

/// File, line and column of a location that has them.
fn place(location: Location) -> Option<(String, usize, usize)> {
    location.is_file_line_col_range().then(|| {
        let file = String::from_utf8_lossy(identifier(location.file_line_col_range_filename())).into_owned();
        (file, location.file_line_col_range_start_line(), location.file_line_col_range_start_column())
    })
}

/// The part of the text that a location means, if it means one.
fn span(location: Location, text: &Text) -> Option<Span> {
    let (file, line, column) = place(location)?;
    if file == text.source.name { text.span(line, column) } else { None }
}

// --- From MLIR's objects to plain values.

fn tree_of<'c: 'a, 'a>(operation: &impl OperationLike<'c, 'a>, text: &Text) -> tree::Operation {
    let mut regions = Vec::new();
    for region in operation.regions() {
        let mut blocks = Vec::new();
        let mut next = region.first_block();
        while let Some(block) = next {
            let arguments = (0..block.argument_count()).filter_map(|index| block.argument(index).ok());
            let arguments = arguments.map(value).collect();
            let mut operations = Vec::new();
            let mut next_operation = block.first_operation();
            while let Some(operation) = next_operation {
                operations.push(tree_of(&operation, text));
                next_operation = operation.next_in_block();
            }
            blocks.push(tree::Block { arguments, operations });
            next = block.next_in_region();
        }
        regions.push(blocks);
    }
    tree::Operation {
        name: String::from_utf8_lossy(identifier(operation.name())).into_owned(),
        span: span(operation.location(), text),
        operands: operation.operands().map(|operand| key(&operand)).collect(),
        results: operation.results().map(value).collect(),
        attributes: operation
            .attributes()
            .map(|(name, value)| (String::from_utf8_lossy(identifier(name)).into_owned(), attribute(value)))
            .collect(),
        regions,
    }
}

fn key<'c>(value: &impl ValueLike<'c>) -> tree::Key {
    tree::Key(value.to_raw().ptr as usize)
}

fn value<'c>(value: impl ValueLike<'c>) -> tree::Value {
    tree::Value { key: key(&value), ty: ty(value.r#type()) }
}

fn ty(found: Type) -> tree::Type {
    let tensor = RankedTensorType::try_from(found).ok().map(|tensor| tree::Tensor {
        element: type_text(tensor.element()),
        sizes: (0..tensor.rank())
            .map(|axis| match tensor.dim_size(axis) {
                Ok(DimSize::Static(size)) => usize::try_from(size).ok(),
                _ => None,
            })
            .collect(),
        encoding: tensor.encoding().map(attribute),
    });
    tree::Type { text: type_text(found), tensor }
}

fn type_text(ty: Type) -> String {
    let mut bytes = Vec::<u8>::new();
    // SAFETY: `append` gets the address of `bytes`, during this call only.
    unsafe { mlirTypePrint(ty.to_raw(), Some(append), ptr::from_mut(&mut bytes).cast()) };
    String::from_utf8_lossy(&bytes).into_owned()
}

fn attribute(found: Attribute) -> tree::Attribute {
    let raw = found.to_raw();
    // SAFETY: each accessor is called on an attribute of its own kind, numbers on those of 64 bits only; the context
    // keeps the texts that attributes refer to.
    unsafe {
        if found.is_string() {
            text(mlirStringAttrGetValue(raw)).map_or(tree::Attribute::Other, tree::Attribute::Text)
        } else if found.is_flat_symbol_ref() {
            text(mlirFlatSymbolRefAttrGetValue(raw)).map_or(tree::Attribute::Other, tree::Attribute::Symbol)
        } else if found.is_bool() {
            tree::Attribute::Flag(mlirBoolAttrGetValue(raw))
        } else if found.is_integer() && is_i64(found.r#type()) {
            tree::Attribute::Integer(mlirIntegerAttrGetValueInt(raw))
        } else if found.is_float() && found.r#type().is_f64() {
            tree::Attribute::Float(mlirFloatAttrGetValueDouble(raw))
        } else if found.is_array() {
            let elements = (0..mlirArrayAttrGetNumElements(raw))
                .map(|index| attribute(Attribute::from_raw(mlirArrayAttrGetElement(raw, index))));
            tree::Attribute::List(elements.collect())
        } else {
            tree::Attribute::Other
        }
    }
}

fn is_i64(ty: Type) -> bool {
    IntegerType::try_from(ty).is_ok_and(|ty| ty.width() == 64 && ty.is_signless())
}

/// # Safety
/// As for [`bytes`].
unsafe fn text(raw: MlirStringRef) -> Option<String> {
    // SAFETY: by this function's own condition.
    str::from_utf8(unsafe { bytes(raw) }).ok().map(str::to_owned)
}
