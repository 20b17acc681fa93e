//! An explanation as tables.

use mom_passes::fuse::{KernelReport, RegionReport, cost::Step, rewrites};
use mom_runtime::show_bytes;

use super::{Explanation, Version, measure::Timing, sizes};
use crate::{
    show::{change, count, formula, ops, share, time},
    spec::fp_name,
};

/// The most letters of a kernel's name in one line.
const NAME: usize = 44;

/// The whole explanation.
pub fn write(explanation: &Explanation) -> String {
    let Explanation { model, rewriting, after, .. } = explanation;
    let mut text = format!(
        "model {model}, fp {}, for {}\n",
        fp_name(rewriting.selection.numerics),
        after.program.plan.target.name
    );
    let machine = &rewriting.machine;
    text += &format!(
        "machine of {} GFLOP/s in products, {} GFLOP/s in other vector code, {} a launch\n\n",
        machine.product_flops,
        machine.vector_flops,
        time(machine.launch_ns)
    );
    text += &totals(explanation);
    for (index, region) in after.fusion.regions.iter().enumerate() {
        text += &format!("\n{}, {} in the program\n", region.name, times(region.count));
        text += &kernels(explanation, index);
        text += &steps(region);
    }
    text + &legend(after)
}

fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

fn totals(Explanation { rewriting, before, after, .. }: &Explanation) -> String {
    let threads = rewriting.machine.threads as usize;
    let mut rows = vec![vec!["a step".to_owned(), "before".to_owned(), "after".to_owned(), String::new()]];
    let mut row = |name: String, of: &dyn Fn(&Version) -> String, changed: String| {
        rows.push(vec![name, of(before), of(after), changed]);
    };
    row("kernels".to_owned(), &|it| it.kernel_count().to_string(), String::new());
    for (place, step) in rewriting.steps.iter().enumerate() {
        let (was, is) = (before.modelled(place), after.modelled(place));
        row(format!("{}, modelled", step_name(step)), &|it| time(it.modelled(place)), change(was, is));
        let (Some(was), Some(is)) = (&before.times, &after.times) else { continue };
        let mut measured = |what: &str, of: fn(&Timing) -> f64| {
            let shown =
                |it: &Version| it.times.as_ref().map_or_else(String::new, |times| time(of(&times.steps[place])));
            row(format!("{}, {what}", step.name), &shown, change(of(&was.steps[place]), of(&is.steps[place])));
        };
        measured("measured, the fastest step", Timing::fastest);
        measured("measured, the median step", Timing::median);
        measured("measured, all its launches", Timing::launches);
    }
    let Some(sizes) = rewriting.steps.first().map(|step| sizes(&after.program.plan, step)) else {
        return table(&rows, "");
    };
    let bytes = |it: &Version| it.workspace().at(&sizes);
    let changed = change(bytes(before) as f64, bytes(after) as f64);
    row("workspace in bytes".to_owned(), &|it| formula(&it.workspace()), String::new());
    row(format!("workspace at T = {}, B = 1", sizes.tokens), &|it| show_bytes(bytes(it) as u64), changed);
    row(
        format!("peak memory at T = {}, B = 1", sizes.tokens),
        &|it| show_bytes(it.program.plan.peak_memory(sizes.sequences, sizes.tokens, threads)),
        String::new(),
    );
    table(&rows, "")
}

fn step_name(step: &Step) -> String {
    let tokens = if step.tokens == 1 { "1 token".to_owned() } else { format!("{} tokens", step.tokens) };
    format!("{} of {tokens}", step.name)
}

/// The kernels of one region before and after.
fn kernels(explanation: &Explanation, region: usize) -> String {
    let measured = explanation.after.times.is_some();
    let mut rows = vec![vec![String::new()], vec![String::new()]];
    for step in &explanation.rewriting.steps {
        let columns: &[&str] = match measured {
            true => &["moved", "flops", "modelled", "roof", "measured", "roof"],
            false => &["moved", "flops", "modelled", "roof"],
        };
        rows[0].extend(columns.iter().map(|_| String::new()));
        let first = rows[0].len() - columns.len();
        rows[0][first] = step.name.to_owned();
        rows[1].extend(columns.iter().map(|&column| column.to_owned()));
    }
    for (name, version) in [("before", &explanation.before), ("after", &explanation.after)] {
        let kernels = version.kernels(region);
        let plural = if kernels.len() == 1 { "kernel" } else { "kernels" };
        let mut total = vec![format!("{name}, {} {plural}", kernels.len())];
        for place in 0..explanation.rewriting.steps.len() {
            let sum = kernels.iter().map(|kernel| kernel.work[place].1).sum();
            total.extend([String::new(), String::new(), time(sum), String::new()]);
            if let Some(times) = &version.times {
                let all = (0..kernels.len()).filter_map(|kernel| times.of(region, kernel));
                total.extend([time(all.map(|times| times[place]).sum()), String::new()]);
            }
        }
        rows.push(total);
        for (index, kernel) in kernels.iter().enumerate() {
            let times = version.times.as_ref().and_then(|times| times.of(region, index));
            rows.extend(kernel_rows(explanation, kernel, times));
        }
    }
    table(&rows, "  ")
}

/// The lines of one kernel.
fn kernel_rows(explanation: &Explanation, kernel: &KernelReport, measured: Option<&[f64]>) -> Vec<Vec<String>> {
    let mut names = wrapped(&ops(kernel)).into_iter().map(|line| format!("  {line}"));
    let mut row = vec![names.next().unwrap_or_default()];
    for (place, (work, ns)) in kernel.work.iter().enumerate() {
        row.extend([show_bytes(work.bytes() as u64), count(work.flops()), time(*ns)]);
        row.push(share(explanation.share(work, *ns)));
        if let Some(times) = measured {
            row.extend([time(times[place]), share(explanation.share(work, times[place]))]);
        }
    }
    [row].into_iter().chain(names.map(|name| vec![name])).collect()
}

/// A list in lines of bounded length.
fn wrapped(list: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for item in list.split_inclusive(", ") {
        let full = lines.last().is_some_and(|line| !line.is_empty() && line.len() + item.trim_end().len() > NAME);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(item);
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// How the program afterwards came from the one before.
fn steps(region: &RegionReport) -> String {
    let mut text = String::new();
    let mut cost = region.cost;
    let mut rows = Vec::new();
    for steps in region.steps.chunk_by(|(one, _), (other, _)| one == other) {
        let (Some((rewrite, after)), several) = (steps.last(), steps.len() > 1) else { continue };
        let count = if several { format!(" × {}", steps.len()) } else { String::new() };
        let name = format!("  {}{count}", rewrite.unwrap_or("(as it was)"));
        rows.push(vec![name, time(*after), change(cost, *after)]);
        cost = *after;
    }
    if rows.is_empty() {
        text += "  no rewrite lowers the modelled cost\n";
    } else {
        text += &format!("  step by step, modelled over a prompt and its answer; first {}\n", time(region.cost));
        text += &table(&rows, "  ");
    }
    let busiest: Vec<String> =
        region.uses.iter().filter(|(_, uses)| *uses > 0).map(|(name, uses)| format!("{name} {uses}")).collect();
    if !busiest.is_empty() {
        text += &format!("  applied: {}\n", busiest.join(", "));
    }
    text += &format!("  e-graph: {} nodes in {} classes", region.nodes, region.classes);
    match region.limit {
        Some(limit) => text + &format!("; stopped at the limit of {limit}, so there may be more to find\n"),
        None => text + "\n",
    }
}

/// What the rewrites that were used say.
fn legend(after: &Version) -> String {
    let used = |name: &str| {
        let mut steps = after.fusion.regions.iter().flat_map(|region| &region.steps);
        steps.any(|(rewrite, _)| *rewrite == Some(name))
    };
    let rows: Vec<Vec<String>> = rewrites()
        .into_iter()
        .filter(|rewrite| used(rewrite.name))
        .map(|rewrite| vec![rewrite.name.to_owned(), fp_name(rewrite.numerics).to_owned(), rewrite.equation.to_owned()])
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let widths = widths(&rows);
    let line =
        |row: &Vec<String>| format!("  {:<2$} {:<3$} {4}\n", row[0], row[1], widths[0] + 1, widths[1] + 1, row[2]);
    rows.iter().fold("\nrewrites\n".to_owned(), |text, row| text + &line(row))
}

/// Rows of columns of equal width; the first is flush left, the others right.
fn table(rows: &[Vec<String>], indent: &str) -> String {
    let widths = widths(rows);
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().enumerate().map(|(column, cell)| match column {
            0 => format!("{cell:<0$}", widths[0]),
            _ => format!("  {cell:>0$}", widths[column]),
        });
        text += &format!("{indent}{}\n", cells.collect::<String>().trim_end());
    }
    text
}

fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    (0..columns).map(|column| width(column).unwrap_or(0)).collect()
}
