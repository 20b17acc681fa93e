//! Update rules alone, in every form, as a user runs them: `momc rule run` on the reference data of `ops/`.

use std::path::Path;

use libtest_mimic::Trial;
use mom_dialect::rule::BUILTIN;
use mom_passes::{Form, NO_SUCH_FORM};
use momc::{failure::Failure, rule};

use crate::{
    Outcome,
    command::{momc, text},
    dialect::lines,
    golden::Case,
    machine::target_name,
    ops,
    tensors::{Tensor, Tensors},
    tidy::files,
    tolerance, trial,
};

/// Rules whose forms are verified.
pub(crate) const CASES: &str = "tests/cases/rules";

const FORMS: [(&str, Form); 2] = [("recurrent", Form::Recurrent), ("chunk", Form::Chunk)];

/// One trial for each form of a case of `ops/`.
pub(crate) fn trials_of(case: &Case) -> Vec<Trial> {
    let trials = FORMS.map(|(name, form)| {
        let case = case.clone();
        trial(format!("golden::{}::{name}", case.name), move || check(&case, name, form))
    });
    trials.into()
}

/// The forms of each rule that ships are those that the documents list; `INSTA_UPDATE=always` writes the list. Every
/// form of the rules in `cases/rules` is what the interpreter says, as `momc rule verify` finds.
pub(crate) fn trials() -> Vec<Trial> {
    let verified = files(Path::new(CASES), "mom").into_iter().map(|file| {
        let name = format!("rules::verified::{}", file.file_stem().unwrap_or_default().display());
        trial(name, move || momc(Path::new("."), &["rule", "verify", text(&file)?])?.success().map(drop))
    });
    let table = trial("rules::table", || {
        let text = table()?;
        let path = "docs/update-rules-table.md";
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(path, &text)?;
        }
        match std::fs::read_to_string(path)? == text {
            true => Ok(()),
            false => Err(format!("{path} is not what the compiler says:\n{text}").into()),
        }
    });
    verified.chain([table]).collect()
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

/// Outputs, last states and gradients that momc makes of a case's file, as it stands, are those that the file holds.
fn check(case: &Case, form_name: &str, form: Form) -> Outcome {
    let sidecar = case.sidecar()?;
    let name = sidecar["rule"].as_str().unwrap_or_default();
    let file = rule::open(name).map_err(shown)?;
    let settings = ops::options(&file, &sidecar["options"]);

    let folder = tempfile::tempdir()?;
    let (inputs, outputs) = (case.file(), folder.path().join("outputs.safetensors"));
    let mut arguments = vec!["rule", "run", name, "--inputs", text(&inputs)?, "--outputs", text(&outputs)?];
    let target = target_name();
    arguments.extend(["--form", form_name, "--grad", "--target", &target]);
    let set: Vec<String> = settings.iter().map(|(option, value)| format!("--set={option}={value}")).collect();
    arguments.extend(set.iter().map(String::as_str));
    let finished = momc(Path::new("."), &arguments)?;

    // A rule without this form says so, and is not run.
    if let Err(refused) = mom_passes::has_form(&rule::sized(&file, &settings).map_err(shown)?, form) {
        let said = format!("error[{NO_SUCH_FORM}]: {}", refused.message);
        return match finished.code == Some(1) && finished.stderr.starts_with(&said) {
            true => Ok(()),
            false => Err(format!("this is not refused: {finished:?}").into()),
        };
    }
    finished.success()?;
    let differences = compare(&Tensors::open(&outputs)?, &case.tensors()?);
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n").into()) }
}

fn shown(failure: Failure) -> String {
    match failure {
        Failure::Input(found) | Failure::Fault { diagnostics: found, .. } => lines(&found).to_string(),
        other => format!("{other:?}"),
    }
}

/// Every expected tensor that is missing or too far off.
fn compare(found: &Tensors, expected: &Tensors) -> Vec<String> {
    let limits = [("out.", tolerance::OPERATOR_COMPILED), ("grad.", tolerance::OPERATOR_GRADIENT)];
    let mut differences = Vec::new();
    for (prefix, limit) in limits {
        for (name, expected) in expected.with_prefix(prefix) {
            let Some(found) = found.find(&format!("{prefix}{name}")) else {
                differences.push(format!("{prefix}{name} is missing"));
                continue;
            };
            // An axis of one entry may be the data's own.
            let own = |tensor: &Tensor| tensor.shape.iter().copied().filter(|&size| size != 1).collect::<Vec<_>>();
            if own(found) != own(expected) {
                differences.push(format!("{prefix}{name} is {:?}, not {:?}", found.shape, expected.shape));
                continue;
            }
            let error = tolerance::relative_error(&found.data, &expected.data);
            if error.is_nan() || error > limit {
                differences.push(format!("{prefix}{name} differs by {error:.2e}, more than {limit:.1e}"));
            }
        }
    }
    differences
}
