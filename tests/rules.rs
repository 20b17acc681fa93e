//! Update rules alone in every form: the reference data of `ops/`, native code with gradients.
//!
//! Many cases have rules of equal sizes. What they compile to is kept by the text of the program, so that each is
//! compiled once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use libtest_mimic::Trial;
use mom_dialect::{diagnostic::Source, graph::Graph, print, reference::Tensors, rule::BUILTIN};
use mom_passes::{Form, Options, Target};
use mom_runtime::{Device, Kernels};
use momc::{
    failure::Failure,
    rule::{self, File, Way},
};

use crate::{Outcome, dialect::lines, golden::Case, ops, tolerance, trial};

const FORMS: [(&str, Form); 2] = [("recurrent", Form::Recurrent), ("chunk", Form::Chunk)];

/// One trial for each form of a case of `ops/`.
pub(crate) fn trials_of(case: &Case) -> Vec<Trial> {
    let trials = FORMS.map(|(name, form)| {
        let case = case.clone();
        trial(format!("golden::{}::{name}", case.name), move || check(&case, name, form))
    });
    trials.into()
}

/// The forms of each rule that ships are those that the documents list; `INSTA_UPDATE=always` writes the list.
pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("rules::table", || {
        let text = table()?;
        let path = "docs/update-rules-table.md";
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(path, &text)?;
        }
        match std::fs::read_to_string(path)? == text {
            true => Ok(()),
            false => Err(format!("{path} is not what the compiler says:\n{text}").into()),
        }
    })]
}

fn table() -> Outcome<String> {
    let mut text =
        "# Forms of the update rules that ship\n\nWritten by the test `rules::table`. A form's gradient is derived \
                    from the form, so that it has one wherever the form is.\n\n\
                    | rule | recurrent | chunk | gradient recurrent | gradient chunk | why there is no chunk form |\n\
                    | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    for (name, _) in BUILTIN {
        let file = rule::open(name).map_err(shown)?;
        let rule = rule::sized(&file, &rule::Settings::new()).map_err(shown)?;
        let [recurrent, chunk] = FORMS.map(|(_, form)| mom_passes::has_form(&rule, form));
        let sign = |found: bool| if found { "yes" } else { "no" };
        let why = chunk.as_ref().err().map_or("", |diagnostic| &diagnostic.message);
        let why = why.split_once("no chunk form: ").map_or(why, |(_, reason)| reason);
        let (recurrent, chunk) = (sign(recurrent.is_ok()), sign(chunk.is_ok()));
        text += &format!("| `{name}` | {recurrent} | {chunk} | {recurrent} | {chunk} | {why} |\n");
    }
    Ok(text)
}

fn check(case: &Case, form_name: &str, form: Form) -> Outcome {
    let sidecar = case.sidecar()?;
    let name = sidecar["rule"].as_str().unwrap_or_default();
    let (_, text) = BUILTIN.iter().find(|(shipped, _)| *shipped == name).ok_or("no such update rule ships")?;
    let file = mom_dialect::rule::parse(&Source::new(format!("{name}.mom"), *text)).map_err(|found| lines(&found))?;
    let settings = ops::options(&file, &sidecar["options"]);
    let given = File::read(&case.file(), &["in.", "cot."]).map_err(shown)?;
    let expected = File::read(&case.file(), &["out.", "grad."]).map_err(shown)?.tensors;
    let options = Options::form(form);

    let native = rule::run(&file, &settings, &given, &Way::Compiled(&|graph| kernels(graph, &options)), true);
    let native = match native {
        Err(failure) if form == Form::Chunk && is_no_such_form(&failure) => return Ok(()),
        other => other.map_err(shown)?,
    };
    let exceptions = tolerance::OPERATOR_EXCEPTIONS.iter();
    let exceptions: BTreeMap<&str, f64> = exceptions
        .filter(|(exception, form, ..)| case.name == format!("ops/{exception}") && form_name == *form)
        .map(|(_, _, tensor, limit)| (*tensor, *limit))
        .collect();
    let limit = |tensor: &str| match exceptions.get(tensor) {
        Some(limit) => *limit,
        None if tensor.starts_with("grad.") => tolerance::OPERATOR_GRADIENT,
        None => tolerance::OPERATOR_COMPILED,
    };
    let mut differences = compare(&native, &expected, limit);
    if !exceptions.is_empty() {
        // The form itself is exact: what is off is rounding.
        let double = rule::run(&file, &settings, &given, &Way::Float64(options), true).map_err(shown)?;
        let outputs = expected.into_iter().filter(|(name, _)| name.starts_with("out.")).collect();
        differences.extend(compare(&double, &outputs, |_| tolerance::OPERATOR_INTERPRETER));
    }
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n").into()) }
}

fn shown(failure: Failure) -> String {
    match failure {
        Failure::Input(found) | Failure::Fault { diagnostics: found, .. } => lines(&found).to_string(),
        other => format!("{other:?}"),
    }
}

fn is_no_such_form(failure: &Failure) -> bool {
    matches!(failure, Failure::Input(found) if rule::is_no_such_form(found))
}

/// Every expected tensor that is missing or too far off.
fn compare(found: &Tensors, expected: &Tensors, limit: impl Fn(&str) -> f64) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, expected) in expected {
        let Some(found) = found.get(name) else {
            differences.push(format!("{name} is missing"));
            continue;
        };
        if found.data.len() != expected.data.len() {
            differences.push(format!("{name} is {:?}, not {:?}", found.shape, expected.shape));
            continue;
        }
        let (error, limit) = (tolerance::relative_error(&found.data, &expected.data), limit(name));
        if error.is_nan() || error > limit {
            differences.push(format!("{name} differs by {error:.2e}, more than {limit:.1e}"));
        }
    }
    differences
}

/// The kernels of a program, compiled once.
fn kernels(graph: &Graph, options: &Options) -> Result<Kernels, Failure> {
    type Compiled = Arc<OnceLock<Option<Kernels>>>;
    static KNOWN: Mutex<Option<HashMap<String, Compiled>>> = Mutex::new(None);
    let compile = || -> Result<Kernels, Failure> {
        let folder = tempfile::tempdir().map_err(|error| Failure::no_temporary_folder(&error))?;
        let target = Target::from_name("native")?;
        let module = rule::compile(graph, &target, options, &folder.path().join("rule.so"))?;
        Ok(module.kernels(Device::cpu_threads(1)?)?)
    };
    let key = format!("{options:?} {}", print::print(graph));
    let known =
        KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().entry(key).or_default().clone();
    // A program that does not compile is not kept: the error is told each time.
    match known.get_or_init(|| compile().ok()) {
        Some(kernels) => Ok(kernels.clone()),
        None => compile(),
    }
}
