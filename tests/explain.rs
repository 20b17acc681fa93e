//! `momc explain` and `momc calibrate`: the tables of a model, the page with everything, and the file of a machine.

use std::{fs, path::Path};

use libtest_mimic::Trial;
use mom_dialect::diagnostic::Source;
use mom_passes::fuse::cost::Machine;
use momc::{driver::Driver, explain::Version, spec::machine};

use crate::{Outcome, command::momc, snapshot, stages::TWO_MEMORIES, trial};

/// The one address that a page may hold: it names the language of drawings, and nothing is fetched from there.
const SVG: &str = "http://www.w3.org/2000/svg";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("explain::tiny", tiny),
        trial("explain::kernels_read_from_kernels", kernels_read_from_kernels),
        trial("explain::a_kernel_is_a_launch", a_kernel_is_a_launch),
        trial("explain::page_is_whole", page_is_whole),
        trial("explain::page_escapes_names", page_escapes_names),
        trial("explain::without_rewrites_nothing_changes", without_rewrites_nothing_changes),
        trial("explain::kernels_are_measured", kernels_are_measured),
        trial("explain::rewrites_are_left_out", rewrites_are_left_out),
        trial("explain::machines_are_read_as_written", machines_are_read_as_written),
        trial("explain::machine_is_measured", machine_is_measured),
    ]
}

fn tiny() -> Outcome {
    let text = momc(Path::new("."), &["explain", "examples/01-tiny.toml", "--target", "x86-64-v3"])?.success()?;
    snapshot::check("explain__tiny", &text);
    Ok(())
}

/// What has no name of its own was made by a kernel of the region.
fn kernels_read_from_kernels() -> Outcome {
    let failed = |failure| format!("{failure:?}");
    let mut driver = Driver::new(Path::new("examples/01-tiny.toml"), "x86-64-v3").map_err(failed)?;
    let explanation = driver.explain().map_err(failed)?;
    for region in &explanation.after.fusion.regions {
        for kernel in region.before.iter().chain(&region.after) {
            let made =
                kernel.operands.iter().any(|operand| operand.starts_with("f32 [") || operand.starts_with("i32 ["));
            if made == kernel.reads.is_empty() {
                return Err(format!("in {}, {kernel:?} reads from {:?}", region.name, kernel.reads).into());
            }
        }
    }
    Ok(())
}

fn a_kernel_is_a_launch() -> Outcome {
    let failed = |failure| format!("{failure:?}");
    for model in ["examples/01-tiny.toml", TWO_MEMORIES, "tests/cases/fusion/hybrid.toml"] {
        let mut driver = Driver::new(Path::new(model), "x86-64-v3").map_err(failed)?;
        let explanation = driver.explain().map_err(failed)?;
        for Version { fusion, program, .. } in [&explanation.before, &explanation.after] {
            let kernels: usize = fusion.regions.iter().map(|region| region.count * region.after.len()).sum();
            let launches = program.ops.iter().filter(|&&op| fusion.kernels.get(op).copied().flatten().is_some());
            let counts = (launches.count(), program.plan.launches.len());
            if counts != (kernels, kernels) {
                return Err(format!("{model}: {kernels} kernels, and of launches {counts:?}").into());
            }
        }
    }
    Ok(())
}

fn page_is_whole() -> Outcome {
    let folder = tempfile::tempdir()?;
    let page = page(folder.path(), &fs::read_to_string(TWO_MEMORIES)?, "model.toml")?;
    well_formed(&page)?;
    for part in ["<svg", "<b>before</b>", "<b>after</b>", "From one to the other", "Choices", "products-merge"] {
        if !page.contains(part) {
            return Err(format!("the page lacks {part}").into());
        }
    }
    let rest = page.replace(SVG, "");
    match ["://", " src=", "url(", "@import", "<link", "href=\"//"].into_iter().find(|&outside| rest.contains(outside))
    {
        Some(outside) => Err(format!("the page refers to something outside: {outside}").into()),
        None => Ok(()),
    }
}

/// The page of a model with this text, in a file of this name.
fn page(folder: &Path, model: &str, name: &str) -> Outcome<String> {
    fs::write(folder.join(name), model)?;
    momc(folder, &["explain", name, "--html", "page.html"])?.success()?;
    Ok(fs::read_to_string(folder.join("page.html"))?)
}

fn page_escapes_names() -> Outcome {
    let folder = tempfile::tempdir()?;
    let text = momc(Path::new("."), &["compile", TWO_MEMORIES, "--emit", "mom"])?.success()?;
    let odd =
        text.replace("two-memories", "<u>&one</u>").replace("name = \"model.norm.weight\"", "name = \"<i>'norm\"");
    if odd.matches("<u>").count() + odd.matches("<i>").count() < 2 {
        return Err("the program has no such names".into());
    }
    let page = page(folder.path(), &odd, "odd.mlir")?;
    well_formed(&page)?;
    match page.contains("&lt;u&gt;&amp;one") && page.contains("&lt;i&gt;&#39;norm") {
        true => Ok(()),
        false => Err("the page lacks the names".into()),
    }
}

/// Checks what XML asks for: elements that nest and end, and no letter of markup in a text.
fn well_formed(page: &str) -> Outcome {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").ok_or("the page has no document type")?;
    while let Some((text, after)) = rest.split_once('<') {
        plain(text)?;
        let (tag, after) = after.split_once('>').ok_or_else(|| format!("<{:.40} does not end", after))?;
        let name = tag.split([' ', '/', '\n']).find(|part| !part.is_empty()).unwrap_or("");
        plain(tag)?;
        rest = after;
        if tag.starts_with('/') {
            if open.pop() != Some(name) {
                return Err(format!("</{name}> ends something else").into());
            }
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        if ["style", "script"].contains(&name) && !tag.starts_with('/') {
            let end = rest.find(&format!("</{name}>")).ok_or("an element does not end")?;
            rest = &rest[end..];
        }
    }
    plain(rest)?;
    if open.is_empty() { Ok(()) } else { Err(format!("{open:?} do not end").into()) }
}

fn plain(text: &str) -> Outcome {
    let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
    let odd = text.split('&').skip(1).find(|after| !known.iter().any(|entity| after.starts_with(entity)));
    match odd {
        Some(odd) => Err(format!("& is not escaped before {odd:.40}").into()),
        None if text.matches('"').count() % 2 == 1 => Err(format!("a quotation does not end in {text:.80}").into()),
        None => Ok(()),
    }
}

fn without_rewrites_nothing_changes() -> Outcome {
    let arguments = ["explain", TWO_MEMORIES, "--only-rewrites", ""];
    let text = momc(Path::new("."), &arguments)?.success()?;
    let kernels = text.lines().find(|line| line.starts_with("kernels")).ok_or("no line of kernels")?;
    let numbers: Vec<&str> = kernels.split_whitespace().skip(1).collect();
    match numbers[..] {
        [before, after] if before == after && !text.contains("step by step") => Ok(()),
        _ => Err(format!("something was rewritten:\n{text}").into()),
    }
}

fn kernels_are_measured() -> Outcome {
    let text = momc(Path::new("."), &["explain", TWO_MEMORIES, "--measure"])?.success()?;
    match text.matches("measured").count() {
        // Two totals, and two columns for each region.
        4.. if text.contains("prefill, measured") && text.contains("decode, measured") => Ok(()),
        _ => Err(format!("nothing was measured:\n{text}").into()),
    }
}

/// There is a row without rewrites, one with all, and each rewrite has a row or changes nothing.
fn rewrites_are_left_out() -> Outcome {
    let names = ["norm-fold", "products-merge", "router-of-one"];
    let text =
        momc(Path::new("."), &["explain", TWO_MEMORIES, "--ablate", "--measure", "--only-rewrites", &names.join(",")])?
            .success()?;
    let same = text.lines().find(|line| line.starts_with("The same program")).unwrap_or("");
    for name in names {
        // With one memory alone there is nothing to route, and this model has two.
        let expected =
            if name == "router-of-one" { same.contains(name) } else { text.contains(&format!("| without `{name}` |")) };
        if !expected {
            return Err(format!("{name} is not where it should be in\n{text}").into());
        }
    }
    let rows = |name: &str| text.lines().filter(|line| line.starts_with(&format!("| {name} |"))).count();
    // One table of the model, one of its layer.
    if rows("no rewrites") != 2 || rows("all rewrites") != 2 {
        return Err(format!("there are not two tables in\n{text}").into());
    }
    let columns = |line: &str| line.matches('|').count();
    let tables: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    match tables.chunk_by(|one, other| columns(one) == columns(other)).count() {
        2 if text.contains("measured") && !text.contains("NaN") => Ok(()),
        _ => Err(format!("rows are not of one length in\n{text}").into()),
    }
}

fn machines_are_read_as_written() -> Outcome {
    let odd = Machine { launch_ns: 0.1, levels: vec![(1e3, 1e-3), (f64::INFINITY, 7.25)], ..Machine::default() };
    for known in [Machine::default(), odd] {
        let text = machine::to_toml(&known);
        let read = machine::parse(&Source::new("machine.toml", text.clone())).map_err(|found| format!("{found:?}"))?;
        if read != known {
            return Err(format!("{known:?} is read as {read:?} from\n{text}").into());
        }
    }
    Ok(())
}

/// Whatever the numbers are, the commands take them.
fn machine_is_measured() -> Outcome {
    let folder = tempfile::tempdir()?;
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join(TWO_MEMORIES).display().to_string();
    momc(folder.path(), &["calibrate", "--threads", "1", "-o", "machine.toml"])?.success()?;
    let text = fs::read_to_string(folder.path().join("machine.toml"))?;
    for key in ["launch_ns", "product_flops", "vector_flops", "threads", "[[levels]]"] {
        if !text.contains(key) {
            return Err(format!("the machine has no {key}:\n{text}").into());
        }
    }
    momc(folder.path(), &["compile", &model, "--machine", "machine.toml", "--emit", "fused"])?.success()?;
    Ok(())
}
