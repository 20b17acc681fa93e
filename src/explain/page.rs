//! An explanation as one page of HTML that needs nothing beside it: both programs drawn, what every kernel does and costs,
//! the way from one program to the other, and what other choices would have cost.
//!
//! Whatever comes from the model is escaped, and the page forbids itself to load anything.

use std::fmt::Write;

use mom_passes::fuse::{ChoiceReport, KernelReport, RegionReport, rewrites};
use mom_runtime::show_bytes;

use super::{
    Explanation, Version,
    layout::{Edge, NODE_HEIGHT, NODE_WIDTH, layout},
    sizes,
};
use crate::{
    show::{change, count, formula, ops, share, time},
    spec::fp_name,
};

/// The most letters in a drawn node.
const LETTERS: usize = 18;
/// Operations that others are computed around, the weightiest first.
const ANCHORS: [&str; 5] = ["scan", "attention", "grouped_linear", "linear", "router"];
/// The most alternatives of one value that are listed.
const ALTERNATIVES: usize = 12;

/// Room that a drawing's frame takes beside it, in pixels.
const BESIDE_DRAWING: f64 = 16.0;

/// The whole page.
pub fn write(explanation: &Explanation) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = whole(&mut page, explanation);
    page
}

fn whole(page: &mut String, explanation: &Explanation) -> std::fmt::Result {
    let Explanation { model, rewriting, after, .. } = explanation;
    let (model, machine) = (escaped(model), &rewriting.machine);
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
    writeln!(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />")?;
    writeln!(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\" />")?;
    writeln!(page, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />")?;
    writeln!(page, "<title>{model}: kernels before and after rewriting</title>")?;
    writeln!(page, "<style>\n{}</style>\n</head>\n<body>\n<main>", include_str!("page.css"))?;
    writeln!(page, "<h1>{model}</h1>")?;
    writeln!(
        page,
        "<p class=\"soft\">fp {}, for {}. The cost model holds it against a machine of {} GFLOP/s in products, {} GFLOP/s in \
         other vector code and {} a launch.</p>",
        fp_name(rewriting.selection.numerics),
        escaped(&after.program.plan.target.name),
        machine.product_flops,
        machine.vector_flops,
        time(machine.launch_ns)
    )?;
    totals(page, explanation)?;
    writeln!(page, "<nav>")?;
    for (index, region) in after.fusion.regions.iter().enumerate() {
        writeln!(page, "<a href=\"#region{index}\">{} × {}</a>", escaped(&region.name), region.count)?;
    }
    writeln!(page, "</nav>")?;
    for (index, report) in after.fusion.regions.iter().enumerate() {
        region(page, explanation, index, report)?;
    }
    writeln!(page, "<div id=\"hover\" hidden=\"hidden\"></div>\n</main>")?;
    writeln!(page, "<script>\n//<![CDATA[\n{}//]]>\n</script>\n</body>\n</html>", include_str!("page.js"))
}

/// A card for each number of the whole program.
fn totals(page: &mut String, Explanation { rewriting, before, after, .. }: &Explanation) -> std::fmt::Result {
    let mut cards = Vec::new();
    let mut card = |what: String, of: &dyn Fn(&Version) -> String, numbers: Option<(f64, f64)>| {
        cards.push((what, of(before), of(after), numbers));
    };
    let kernels = (before.kernel_count() as f64, after.kernel_count() as f64);
    card("kernels a step".to_owned(), &|it| it.kernel_count().to_string(), Some(kernels));
    for (place, step) in rewriting.steps.iter().enumerate() {
        let numbers = (before.modelled(place), after.modelled(place));
        card(format!("{}, T = {}, modelled", step.name, step.tokens), &|it| time(it.modelled(place)), Some(numbers));
        let fastest = |it: &Version| it.times.as_ref().map(|times| times.steps[place].fastest());
        if let (Some(was), Some(is)) = (fastest(before), fastest(after)) {
            let measured = |it: &Version| fastest(it).map_or_else(String::new, time);
            card(format!("{}, measured", step.name), &measured, Some((was, is)));
        }
    }
    if let Some(sizes) = rewriting.steps.first().map(|step| sizes(&after.program.plan, step)) {
        let bytes = |it: &Version| it.workspace().at(&sizes);
        let numbers = (bytes(before) as f64, bytes(after) as f64);
        card(format!("workspace, T = {}", sizes.tokens), &|it| show_bytes(bytes(it) as u64), Some(numbers));
    }
    card("workspace in bytes".to_owned(), &|it| formula(&it.workspace()), None);
    writeln!(page, "<div class=\"cards\">")?;
    for (what, was, is, numbers) in cards {
        let small = if numbers.is_none() { " small" } else { "" };
        let changed = numbers.map_or_else(String::new, |(was, is)| changed(was, is));
        writeln!(
            page,
            "<div class=\"card\"><div class=\"what\">{what} {changed}</div>\
             <div class=\"value{small}\"><s>{was} →</s> {is}</div></div>"
        )?;
    }
    writeln!(page, "</div>")
}

/// How a number changed, in the colour of what that means.
fn changed(was: f64, is: f64) -> String {
    let class = if is > was { "bad" } else { "good" };
    if is == was { String::new() } else { format!("<span class=\"{class}\">{}</span>", change(was, is)) }
}

fn region(page: &mut String, explanation: &Explanation, index: usize, report: &RegionReport) -> std::fmt::Result {
    writeln!(
        page,
        "<h2 id=\"region{index}\">{} <span class=\"soft\">× {}</span></h2>",
        escaped(&report.name),
        report.count
    )?;
    writeln!(page, "<div class=\"programs\">")?;
    for (name, version) in [("before", &explanation.before), ("after", &explanation.after)] {
        program(page, explanation, (name, version), index)?;
    }
    writeln!(page, "</div>")?;
    steps(page, report)?;
    uses(page, report)?;
    choices(page, report)
}

/// A program as a drawing, and the facts of its kernels for whoever points at them.
fn program(
    page: &mut String,
    explanation: &Explanation,
    (name, version): (&str, &Version),
    region: usize,
) -> std::fmt::Result {
    let kernels = version.kernels(region);
    let drawn = layout(&kernels.iter().map(|kernel| kernel.reads.clone()).collect::<Vec<_>>());
    let asked = &explanation.rewriting.steps;
    let weight =
        |kernel: &KernelReport| -> f64 { kernel.work.iter().zip(asked).map(|(it, step)| it.1 * step.times).sum() };
    let sum = |place: usize| time(kernels.iter().map(|kernel| kernel.work[place].1).sum());
    let sums: Vec<String> = asked.iter().enumerate().map(|(at, step)| format!("{} {}", step.name, sum(at))).collect();
    let most = kernels.iter().map(weight).fold(1.0, f64::max);
    let plural = if kernels.len() == 1 { "kernel" } else { "kernels" };
    writeln!(
        page,
        "<figure style=\"flex-basis: {:.0}px\">\n<figcaption><span><b>{name}</b>, {} {plural}</span><span class=\"soft\">{}</span></figcaption>",
        drawn.width + BESIDE_DRAWING,
        kernels.len(),
        sums.join(", ")
    )?;
    writeln!(
        page,
        "<div class=\"scroll\">\n<svg class=\"drawing\" xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0}\" height=\"{1:.0}\" \
         viewBox=\"0 0 {0:.0} {1:.0}\">",
        drawn.width, drawn.height
    )?;
    for Edge { from, to, points } in &drawn.edges {
        writeln!(page, "<path class=\"edge\" data-from=\"{from}\" data-to=\"{to}\" d=\"{}\" />", curve(points))?;
    }
    for (place, (kernel, (x, y))) in kernels.iter().zip(&drawn.nodes).enumerate() {
        let facts = format!("{name}-{region}-{place}");
        let warm = 0.06 + 0.62 * weight(kernel) / most;
        let center = x + NODE_WIDTH / 2.0;
        writeln!(
            page,
            "<g class=\"kernel\" tabindex=\"0\" data-facts=\"{facts}\" data-place=\"{place}\" style=\"--warm: {warm:.2}\">\
             <rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{NODE_WIDTH}\" height=\"{NODE_HEIGHT}\" rx=\"8\" />\
             <text x=\"{center:.1}\" y=\"{:.1}\">{}</text><text class=\"detail\" x=\"{center:.1}\" y=\"{:.1}\">{}</text></g>",
            y + 19.0,
            escaped(&title(kernel)),
            y + 35.0,
            kernel.work.iter().map(|(_, ns)| time(*ns)).collect::<Vec<_>>().join(" · ")
        )?;
    }
    writeln!(page, "</svg>\n</div>")?;
    for (place, kernel) in kernels.iter().enumerate() {
        writeln!(page, "<div class=\"facts\" id=\"{name}-{region}-{place}\">")?;
        let times = version.times.as_ref().and_then(|times| times.of(region, place));
        facts(page, explanation, kernel, times)?;
        writeln!(page, "</div>")?;
    }
    writeln!(page, "</figure>")
}

/// What stands in a node: its operations, or the one that the others are computed around where there is no room.
fn title(kernel: &KernelReport) -> String {
    let all = ops(kernel);
    if all.chars().count() <= LETTERS {
        return all;
    }
    let anchor = ANCHORS.into_iter().find(|anchor| kernel.ops.iter().any(|op| op == anchor));
    let last = kernel.ops.last().map_or("", String::as_str);
    format!("{} + {}", anchor.unwrap_or(last), kernel.ops.len() - 1)
}

/// A line through points that leaves and meets each of them upright.
fn curve(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| points.get(before));
        path += &match before {
            None => format!("M{x:.1} {y:.1}"),
            Some((from, above)) => {
                let middle = (above + y) / 2.0;
                format!("C{from:.1} {middle:.1} {x:.1} {middle:.1} {x:.1} {y:.1}")
            }
        };
    }
    path
}

fn facts(
    page: &mut String,
    explanation: &Explanation,
    kernel: &KernelReport,
    times: Option<&[f64]>,
) -> std::fmt::Result {
    writeln!(page, "<h4>{}</h4>", escaped(&ops(kernel)))?;
    for (what, values) in [("reads", &kernel.operands), ("makes", &kernel.results)] {
        let items: String = values.iter().map(|value| format!("<li><code>{}</code></li>", escaped(value))).collect();
        writeln!(page, "<div class=\"soft\">{what}</div><ul>{items}</ul>")?;
    }
    let measured =
        if times.is_some() { "<th class=\"number\">measured</th><th class=\"number\">roof</th>" } else { "" };
    writeln!(
        page,
        "<table><tr><th></th><th class=\"number\">moved</th><th class=\"number\">flops</th><th class=\"number\">modelled</th>\
         <th class=\"number\">roof</th>{measured}</tr>"
    )?;
    for (place, ((work, ns), step)) in kernel.work.iter().zip(&explanation.rewriting.steps).enumerate() {
        let mut cells =
            vec![show_bytes(work.bytes() as u64), count(work.flops()), time(*ns), share(explanation.share(work, *ns))];
        if let Some(times) = times {
            cells.extend([time(times[place]), share(explanation.share(work, times[place]))]);
        }
        let cells: String = cells.iter().map(|cell| format!("<td class=\"number\">{cell}</td>")).collect();
        writeln!(page, "<tr><td>{}</td>{cells}</tr>", step.name)?;
    }
    writeln!(page, "</table>")
}

/// The chain of rewrites, with the cost after each.
fn steps(page: &mut String, report: &RegionReport) -> std::fmt::Result {
    writeln!(page, "<h3>From one to the other</h3>")?;
    if report.steps.is_empty() {
        return writeln!(page, "<p class=\"soft\">No rewrite lowers the modelled cost.</p>");
    }
    writeln!(page, "<table><tr><th></th><th>rewrite</th><th>equation</th><th></th><th class=\"number\">cost</th>")?;
    writeln!(page, "<th class=\"number\">change</th><th>of all that is saved</th></tr>")?;
    let known = rewrites();
    // Dense products cost so much that the cost itself hardly gets shorter.
    let least = report.steps.iter().map(|(_, cost)| *cost).fold(report.cost, f64::min);
    let saved = |cost: f64| (100.0 * (report.cost - cost) / (report.cost - least).max(1.0)).max(0.0);
    writeln!(
        page,
        "<tr><td></td><td class=\"soft\">the program as built</td><td></td><td></td><td class=\"number\">{}</td><td></td>\
         <td></td></tr>",
        time(report.cost)
    )?;
    let mut before = report.cost;
    for (place, (name, cost)) in report.steps.iter().enumerate() {
        let rewrite = name.and_then(|name| known.iter().find(|rewrite| rewrite.name == name));
        let (equation, tag) = rewrite.map_or_else(Default::default, |rewrite| {
            (escaped(rewrite.equation), format!("<span class=\"tag\">{}</span>", fp_name(rewrite.numerics)))
        });
        writeln!(
            page,
            "<tr><td class=\"number\">{}</td><td><code>{}</code></td><td>{equation}</td><td>{tag}</td>\
             <td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"bar-cell\"><span class=\"bar\" style=\"width: {:.1}%\"></span></td></tr>",
            place + 1,
            name.unwrap_or("as it was"),
            time(*cost),
            changed(before, *cost),
            saved(*cost)
        )?;
        before = *cost;
    }
    writeln!(page, "</table>")
}

fn uses(page: &mut String, report: &RegionReport) -> std::fmt::Result {
    let busy: Vec<String> = report
        .uses
        .iter()
        .filter(|(_, uses)| *uses > 0)
        .map(|(name, uses)| format!("<code>{name}</code> {uses}"))
        .collect();
    let applied = if busy.is_empty() { "no rewrite".to_owned() } else { busy.join(", ") };
    let limit = match report.limit {
        Some(limit) => format!(" <span class=\"bad\">It stopped at the limit of {limit}.</span>"),
        None => String::new(),
    };
    writeln!(
        page,
        "<p class=\"soft\">The e-graph has {} nodes in {} classes. Applied: {applied}.{limit}</p>",
        report.nodes, report.classes
    )
}

/// For each value that could have been computed otherwise, how, and at what cost.
fn choices(page: &mut String, report: &RegionReport) -> std::fmt::Result {
    if report.choices.is_empty() {
        return Ok(());
    }
    writeln!(page, "<h3>Choices</h3>")?;
    writeln!(
        page,
        "<p class=\"soft\">Costs are of the whole region when only this value is computed otherwise. ⟨ ⟩ stands around what is \
         computed within the kernel that reads it. Not possible is what native code has no kernel for, and what would \
         change a state twice.</p>"
    )?;
    report.choices.iter().try_for_each(|choice| alternatives(page, choice))
}

fn alternatives(page: &mut String, choice: &ChoiceReport) -> std::fmt::Result {
    let mut sorted: Vec<_> = choice.alternatives.iter().collect();
    sorted.sort_by(|one, other| {
        let cost = |cost: Option<f64>| cost.unwrap_or(f64::INFINITY);
        other.chosen.cmp(&one.chosen).then(cost(one.cost).total_cmp(&cost(other.cost)))
    });
    let place = if choice.inline { "computed where it is read" } else { "stored" };
    let chosen = sorted.first().and_then(|first| first.cost);
    writeln!(
        page,
        "<details><summary><code>{}</code> <span class=\"soft\">{place}, {} ways</span></summary>",
        escaped(&choice.value),
        sorted.len()
    )?;
    writeln!(page, "<table><tr><th>computed as</th><th>found by</th><th class=\"number\">cost</th>")?;
    writeln!(page, "<th class=\"number\">change</th></tr>")?;
    for alternative in sorted.iter().take(ALTERNATIVES) {
        let (cost, changed) = match (alternative.cost, chosen) {
            (Some(cost), Some(chosen)) => (time(cost), changed(chosen, cost)),
            (Some(cost), None) => (time(cost), String::new()),
            (None, _) => ("not possible".to_owned(), String::new()),
        };
        writeln!(
            page,
            "<tr{}><td><code>{}</code></td><td class=\"name\">{}</td><td class=\"number\">{cost}</td><td class=\"number\">{changed}</td></tr>",
            if alternative.chosen { " class=\"chosen\"" } else { "" },
            escaped(&alternative.term),
            alternative.rewrite.unwrap_or("the program itself")
        )?;
    }
    if let Some(more) = sorted.len().checked_sub(ALTERNATIVES).filter(|&more| more > 0) {
        writeln!(page, "<tr><td class=\"soft\">and {more} that cost more</td><td></td><td></td><td></td></tr>")?;
    }
    writeln!(page, "</table></details>")
}

/// A text in which nothing is markup.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(letter),
        }
    }
    safe
}
